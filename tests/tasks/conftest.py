"""Fixtures of the tasks' tests."""

from __future__ import annotations

from fakeapi import api

__all__ = ["api"]
