"""How people log in at the operator service, and how long that lasts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.base import Model
from config.schema import Address, Secret


class OpenId(Model):
    """An OpenID Connect provider. It must send people back to ADDRESS/login/openid/back, with ADDRESS as below."""

    issuer: Address
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Secret | None = None


class Login(Model):
    """`address` is the service as people's browsers call it; with https, cookies go over that alone.

    `open_to_read` lets everybody who reaches the service read the board; whatever changes something needs a log-in.
    """

    address: Address | None = None
    lasts_h: Annotated[float, Field(gt=0, le=168)] = 12
    idle_min: Annotated[float, Field(ge=1, le=10_080)] = 120
    open_to_read: bool = False
    openid: OpenId | None = None
