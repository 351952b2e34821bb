"""Which certificate authorities are trusted: read once a process."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def authorities() -> ssl.SSLContext:
    """The machine's (`SSL_CERT_FILE`, `SSL_CERT_DIR`), else those of certifi.

    Reading them takes OpenSSL 3 some 50 ms of one core, and httpx would do it for every client.
    """
    return httpx.create_ssl_context()
