"""Whether a request came from Slack: its signature over time and body, by slack-sdk, compared in constant time."""

from __future__ import annotations

from slack_sdk.signature import Clock, SignatureVerifier


class _At(Clock):
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


def signed(secret: str, body: bytes, timestamp: str, signature: str, now: float) -> bool:
    """Whether Slack signed `body` with `secret` in the last five minutes before `now` (seconds since the epoch).

    `timestamp` and `signature` are the headers X-Slack-Request-Timestamp and X-Slack-Signature.
    """
    try:
        return SignatureVerifier(secret, _At(now)).is_valid(body, timestamp, signature)
    except (ValueError, TypeError, OverflowError):
        # No number or too large a one for a time, or a signature that is not ASCII.
        return False
