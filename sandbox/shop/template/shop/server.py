"""The HTTP server: it counts what it answers, and ends without cutting anyone off."""

import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shop import routes
from shop.metrics import CONTENT_TYPE, Metrics
from shop.settings import Settings

MOST_BYTES = 64 * 1024


class Shop(ThreadingHTTPServer):
    """`stopping` is set once it was asked to end: it is unready then, and still serves."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, settings: Settings) -> None:
        super().__init__((settings.host, settings.port), Handler)
        self.settings = settings
        self.metrics = Metrics(settings.version)
        self.stopping = threading.Event()
        self.in_flight = 0
        self.lock = threading.Lock()

    def drain(self) -> None:
        """Unready first, then no new connections, then what is in flight is finished."""
        self.stopping.set()
        time.sleep(self.settings.drain)
        self.shutdown()
        end = time.monotonic() + self.settings.grace
        while self.in_flight and time.monotonic() < end:
            time.sleep(0.005)


class Handler(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/health":
            stopping = self.server.stopping.is_set()
            self._answer(lambda: routes.as_json(503 if stopping else 200, {"status": "stopping" if stopping else "ok"}))
        elif path == "/metrics":
            self._answer(lambda: (200, CONTENT_TYPE, self.server.metrics.text().encode()))
        else:
            self._answer(lambda: routes.get(path, self.server.settings))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._answer(lambda: routes.as_json(413, {"error": f"a body of at most {MOST_BYTES} bytes"}))
            return
        self._answer(lambda: routes.post(self.path, self.rfile.read(int(length))))

    def _answer(self, reply) -> None:
        started = time.perf_counter()
        with self.server.lock:
            self.server.in_flight += 1
        try:
            status, kind, body = reply()
            self.server.metrics.count(status, time.perf_counter() - started)
            self._send(status, kind, body)
        finally:
            with self.server.lock:
                self.server.in_flight -= 1

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'self'"),
        ):
            self.send_header(name, value)
        if self.server.stopping.is_set():
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent: the gateway in front keeps the access log."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; the line on standard output says where."""
    with Shop(settings) as shop:
        ending: list[threading.Thread] = []

        def end(*_: object) -> None:
            if not ending:
                ending.append(threading.Thread(target=shop.drain))
                ending[0].start()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        host, port = shop.server_address[:2]
        print(f"shop {settings.version} listens on http://{host}:{port}", flush=True)
        shop.serve_forever(poll_interval=0.05)
        ending[0].join()
