"""What the environment says: one image serves every environment."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`drain` is how long it goes on serving, unready, after SIGTERM; `grace` bounds what is in flight (seconds)."""

    host: str = "127.0.0.1"
    port: int = 8080
    version: str = "0.0.0"
    commit: str = ""
    environment: str = "development"
    region: str = ""
    build_type: str = "release"
    drain: float = 0.2
    grace: float = 10.0


def from_environment() -> Settings:
    """Settings from HOST, PORT (0 for a free one), VERSION, COMMIT, ENVIRONMENT, REGION, BUILD_TYPE, DRAIN_S."""
    read = os.environ.get
    return Settings(
        host=read("HOST", "127.0.0.1"),
        port=int(read("PORT", "8080")),
        version=read("VERSION", "0.0.0"),
        commit=read("COMMIT", ""),
        environment=read("ENVIRONMENT", "development"),
        region=read("REGION", ""),
        build_type=read("BUILD_TYPE", "release"),
        drain=float(read("DRAIN_S", "0.2")),
        grace=float(read("GRACE_S", "10")),
    )
