"""The part of tidegate.yaml that says how `tidegate serve` listens, and to whom."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, IPvAnyNetwork

from config.base import Model
from config.schema import Secret


def _not_everybody(network: IPvAnyNetwork) -> IPvAnyNetwork:
    if network.prefixlen == 0:
        raise ValueError("that is everybody: then anybody could say that he is somebody else")
    return network


# An address, or a network such as 10.0.0.0/8.
Proxy = Annotated[IPvAnyNetwork, AfterValidator(_not_everybody)]


class Service(Model):
    """The service that GitHub and Slack call. `github_secret` is the one that GitHub signs its webhooks with.

    `rate_per_s` and `burst` hold for each caller's address; `max_body_kb` is the largest body that is read.
    Only of `trusted_proxies` is it believed for whom they call (X-Forwarded-For).
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8765
    github_secret: Secret | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 20
    burst: Annotated[int, Field(ge=1, le=100_000)] = 100
    trusted_proxies: tuple[Proxy, ...] = (IPv4Network("127.0.0.1"), IPv6Network("::1"))
    max_body_kb: Annotated[int, Field(ge=1, le=25_600)] = 5_120
