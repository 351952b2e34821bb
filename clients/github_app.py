"""How Tidegate is let in at GitHub: with a token, or as an installation of a GitHub App."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from githubkit import AppInstallationAuthStrategy, TokenAuthStrategy
from githubkit.cache import MemCacheStrategy

from clients.address import usable_token
from release.errors import Refused

# The settings' names.
TOKEN = "github.token"  # noqa: S105
APP = "github.app"


@dataclass(frozen=True, slots=True)
class App:
    """An installation of an App; `id` is the App's number or its client id, the key a PEM text. No repr shows it."""

    id: str
    installation: int
    private_key: str = field(repr=False)


def setting_of(access: str | App) -> str:
    """Where the settings say it; messages name it."""
    return APP if isinstance(access, App) else TOKEN


def strategy(access: str | App, repository: str) -> TokenAuthStrategy | AppInstallationAuthStrategy:
    """How each request is let in; an installation only to this one repository. Raises Refused naming the setting."""
    if isinstance(access, str):
        return TokenAuthStrategy(usable_token(access, TOKEN))
    return _installation(access, repository)


@functools.cache
def _installation(app: App, repository: str) -> AppInstallationAuthStrategy:
    # One line in a variable, as many tools keep it.
    key = app.private_key.strip().replace("\\n", "\n")
    try:
        usable = isinstance(load_pem_private_key(key.encode(), None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        usable = False
    if not usable:
        raise Refused(
            "It is no RSA private key in PEM form.",
            field=f"{APP}.private_key",
            next_step="Put the file that GitHub gave for the App's key where the settings say.",
        )
    return AppInstallationAuthStrategy(app.id, key, app.installation, repositories=[repository])


@functools.cache
def tokens(url: str, access: str | App) -> MemCacheStrategy:
    """This process's memory of an installation's tokens, until they end."""
    del url, access
    return MemCacheStrategy()
