"""The real shop in a process of its own, on a free port."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class RunningShop:
    """`with RunningShop() as shop:` starts it, and ends it with SIGTERM."""

    def __init__(self, **environment):
        self._environment = {
            "PORT": "0",
            "HOST": "127.0.0.1",
            "VERSION": "9.9.9",
            "DRAIN_S": "0.05",
            **environment,
        }

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shop"],
            cwd=ROOT,
            env=os.environ | self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().split()[-1]
        return self

    def __exit__(self, *_):
        self.end()
        self.process.stdout.close()

    def end(self):
        """Ask it to end, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=5)

    def get(self, path):
        """Status and text of a GET."""
        return self._ask(urllib.request.Request(self.url + path))

    def json(self, path):
        return json.loads(self.get(path)[1])

    def post(self, path, body):
        """Status and decoded JSON of a POST."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, text = self._ask(urllib.request.Request(self.url + path, data))
        return status, json.loads(text)

    def _ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
