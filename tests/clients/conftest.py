"""Fixtures of the clients' tests."""

from __future__ import annotations

from fakeapi import api
from registry_fixtures import registry, registry_access

__all__ = ["api", "registry", "registry_access"]
