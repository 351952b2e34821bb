"""GitHub, simulated: `GitHub` is the server."""

from sandbox.services.github.server import GitHub

__all__ = ["GitHub"]
