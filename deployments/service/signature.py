"""Whether a delivery comes from GitHub: its signature over the raw body, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

_LONGEST = 200


def of_github(secret: bytes, body: bytes, header: str) -> bool:
    """Whether `header` (X-Hub-Signature-256) is the body's HMAC-SHA256 with `secret`."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), header[:_LONGEST].encode(errors="replace"))
