"""What can be chosen about a sandbox when it starts."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from release.errors import Refused

MOST_REGIONS = 64


@dataclass(frozen=True, slots=True)
class Options:
    """`regions` counts production's; `users` is requests a second in each region, before `speed` multiplies it.

    `prefect`, `engine`, `services`, `shop`: whether those parts are started. `services` are GitHub, Slack and the
    hooks, `shop` the sample application's git history. `kubeconfig` is a cluster of the user's. `prometheus`: a
    Prometheus server, through which versions are then judged; `rules` its file of alert rules. `serve`: a worker,
    and the service that webhooks call.
    """

    speed: float = 1.0
    regions: int = 3
    users: float = 20.0
    prefect: bool = True
    engine: bool = True
    services: bool = True
    shop: bool = True
    kubeconfig: str | None = None
    prometheus: bool = False
    rules: str | None = None
    serve: bool = False

    def check(self) -> Options:
        """Itself. Raises Refused naming the option and its rule."""
        if not 0.1 <= self.speed <= 1000:
            raise Refused("the speed is a number from 0.1 to 1000.", field="--speed", next_step="Give it as 10.")
        if not 1 <= self.regions <= MOST_REGIONS:
            rule = f"production has 1 to {MOST_REGIONS} regions."
            raise Refused(rule, field="--regions", next_step="Give a number in that range.")
        if self.serve and not (self.prefect and self.services and self.shop):
            raise Refused("a worker needs the Prefect server.", field="--serve", next_step="Leave --no-prefect out.")
        if not 0 <= self.users <= 1000:
            raise Refused("users make 0 to 1000 requests a second.", field="--users", next_step="Give it as 20.")
        if self.rules is not None and not (self.prometheus and Path(self.rules).is_file()):
            raise Refused(
                f"the rules are a file ({self.rules}) for the sandbox's Prometheus.",
                field="--rules",
                next_step="Name a file that exists, together with --prometheus.",
            )
        if self.kubeconfig is not None and not Path(self.kubeconfig).is_file():
            raise Refused(
                f"there is no file {self.kubeconfig}.",
                field="TIDEGATE_SANDBOX_KUBECONFIG",
                next_step="Name the kubeconfig of a cluster, or unset the variable.",
            )
        return self

    def dump(self) -> str:
        """As one argument of the daemon."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Options:
        """From the daemon's argument."""
        return cls(**json.loads(text)).check()


def own_cluster() -> str | None:
    """The user's kubeconfig from TIDEGATE_SANDBOX_KUBECONFIG, None without."""
    given = os.environ.get("TIDEGATE_SANDBOX_KUBECONFIG")
    return str(Path(given).expanduser().absolute()) if given else None
