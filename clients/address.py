"""What every client over HTTP needs to know of an address and its token."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from release.errors import Refused


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine, so that a proxy of the environment must not be asked for it."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def at_github(repository: str, api: str) -> bool:
    """Whether a repository's address is of the GitHub with that API, so that git may be given what lets one in there:
    the API's host is the repository's, with or without `api.` before it."""
    git, rest = urlsplit(repository), urlsplit(api)
    return git.scheme == rest.scheme and git.hostname == (rest.hostname or "").removeprefix("api.")


def usable_token(token: str, field: str) -> str:
    """The token without the white space around it. Raises Refused naming `field` when no header can hold it."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Refused(
            "The token is empty or has characters that no token has.",
            field=field,
            next_step="Put the token alone, on one line, where the settings say.",
        )
    return token
