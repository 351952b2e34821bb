"""The part of tidegate.yaml that says how `tidegate serve` listens, and to whom."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.base import Model
from config.schema import Secret


class Service(Model):
    """The service that GitHub and Slack call. `github_secret` is the one that GitHub signs its webhooks with.

    `rate_per_s` and `burst` hold for each caller's address; `max_body_kb` is the largest body that is read.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8765
    github_secret: Secret | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 20
    burst: Annotated[int, Field(ge=1, le=100_000)] = 100
    max_body_kb: Annotated[int, Field(ge=1, le=25_600)] = 5_120
