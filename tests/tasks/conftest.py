"""Fixtures of the tasks' tests."""

from __future__ import annotations

from deployment_hub import hub
from fakeapi import api

__all__ = ["api", "hub"]
