"""Counters, as Prometheus reads them."""

import threading
from collections import Counter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Answers by code, and the time they took in seconds."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()
        self._seconds = 0.0

    def count(self, code: int, seconds: float) -> None:
        with self._lock:
            self._answers[code] += 1
            self._seconds += seconds

    def text(self) -> str:
        with self._lock:
            answers, seconds = sorted(self._answers.items()), self._seconds
        name = "shop_http_requests_total"
        lines = [f"# HELP {name} Answers by status code.", f"# TYPE {name} counter"]
        lines += [f'{name}{{version="{self._version}",code="{code}"}} {count}' for code, count in answers]
        name = "shop_http_request_duration_seconds"
        lines += [f"# HELP {name} Time spent answering.", f"# TYPE {name} summary"]
        lines += [f"{name}_sum {seconds:.6f}", f"{name}_count {sum(count for _, count in answers)}"]
        return "\n".join(lines) + "\n"
