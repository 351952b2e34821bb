"""Fixtures of the tests of what is served."""

from __future__ import annotations

from fakeapi import cluster

__all__ = ["cluster"]
