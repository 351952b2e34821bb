"""Whether a request comes from whom it says: signatures over the raw body, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

# Slack's own advice: an older request may be one that somebody recorded.
SLACK_WINDOW_S = 300.0
_LONGEST = 200


def of_github(secret: bytes, body: bytes, header: str) -> bool:
    """Whether `header` (X-Hub-Signature-256) is the body's HMAC-SHA256 with `secret`."""
    return _same("sha256=", secret, body, header)


def of_slack(secret: bytes, body: bytes, header: str, timestamp: str, now: float) -> bool:
    """Whether `header` (X-Slack-Signature) signs body and `timestamp`, and that is not five minutes from `now`."""
    fresh = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16
    fresh = fresh and abs(now - int(timestamp)) <= SLACK_WINDOW_S
    return _same("v0=", secret, b"v0:" + timestamp.encode()[:_LONGEST] + b":" + body, header) and fresh


def _same(prefix: str, secret: bytes, signed: bytes, header: str) -> bool:
    expected = prefix + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), header[:_LONGEST].encode(errors="replace"))
