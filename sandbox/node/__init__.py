"""The simulated node: a small scheduler and kubelet that give pods the status a real one would give."""

from __future__ import annotations

from sandbox.node.images import ImageSource
from sandbox.node.node import Node

__all__ = ["ImageSource", "Node"]
