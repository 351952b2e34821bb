"""The deployed shop, as API_URL names it; it must run EXPECTED_VERSION.

While one version replaces another both may answer: EXPECTED_VERSION then names both, `1.4.0,1.5.0`, the new one last.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

TIMEOUT_S = 5


class Wrong(Exception):
    """What was seen is not what was expected; the message says both."""


@dataclass(frozen=True)
class Seen:
    """An answer: status 0 when there was none. `seconds` is how long it took."""

    status: int
    body: str
    seconds: float


class Target:
    def __init__(self):
        self.url = _needed("API_URL").rstrip("/")
        self.allowed = _needed("EXPECTED_VERSION").split(",")
        self.expected = self.allowed[-1]

    def get(self, path):
        key = os.environ.get("API_KEY")
        request = urllib.request.Request(self.url + path, headers={"X-API-Key": key} if key else {})
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                status, body = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read().decode(errors="replace")
        except OSError as error:
            status, body = 0, str(getattr(error, "reason", error))
        return Seen(status, body, time.perf_counter() - started)

    def good(self, path):
        seen = self.get(path)
        if seen.status != 200:
            raise Wrong(f"{path} answered {seen.status or 'nothing'}: {seen.body[:200]}")
        return seen

    def about(self):
        """What `/version` tells; Wrong when it is no expected version."""
        body = self.good("/version").body
        try:
            about = json.loads(body)
        except ValueError:
            raise Wrong(f"/version is not JSON: {body[:200]}") from None
        if about.get("version") not in self.allowed:
            raise Wrong(f"/version is {about.get('version')!r}, expected {' or '.join(map(repr, self.allowed))}")
        return about


def _needed(name):
    value = os.environ.get(name)
    if not value:
        raise Wrong(f"{name} is not set")
    return value


def main(check):
    """Run `check(target)`; print what it found, and exit with 1 when something is wrong."""
    try:
        target = Target()
        print(f"ok: {check(target)} ({target.url})")
    except Wrong as error:
        sys.exit(f"failed: {error} ({os.environ.get('API_URL', 'no address')})")
