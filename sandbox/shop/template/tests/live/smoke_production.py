"""Smoke, and whether this is production: a wrong address would otherwise pass."""

import os

from tests.live import smoke
from tests.live.target import Wrong, main


def check(target):
    smoke.check(target)
    environment = target.about().get("environment")
    expected = os.environ.get("EXPECTED_ENVIRONMENT", "production")
    if environment != expected:
        raise Wrong(f"/version says environment {environment!r}, expected {expected!r}")
    return f"version {target.expected} is up in {environment}"


if __name__ == "__main__":
    main(check)
