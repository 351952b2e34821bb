"""The sandbox's regions: their names, and the loopback ports that belong to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.keptports import KeptPorts
from sandbox.overlay import RegionAddress
from sandbox.regions import RegionPlan

PRODUCTION = ("us-east-1", "eu-west-1", "ap-southeast-1", "us-west-2", "eu-central-1", "ap-northeast-1", "sa-east-1")
LISTENERS = ("web", "blue", "green")


@dataclass(frozen=True, slots=True)
class Place:
    """A region's ports. `api` and `public` (by listener) are those of its proxies, `served` the gateway's own."""

    environment: str
    name: str
    context: str
    api: int
    public: dict[str, int]
    served: dict[str, int]

    def plan(self) -> RegionPlan:
        """What the cluster is to hold for it."""
        api = f"https://127.0.0.1:{self.api}"
        return RegionPlan(self.name, self.context, self.context, api, **self.served)

    def address(self) -> RegionAddress:
        """What Tidegate is told of it."""
        urls = {listener: f"http://127.0.0.1:{port}" for listener, port in self.public.items()}
        previews = {"blue": urls["blue"], "green": urls["green"]}
        return RegionAddress(self.environment, self.name, self.context, self.context, urls["web"], previews)


def places(production: int, ports: KeptPorts) -> tuple[Place, ...]:
    """Development, staging and so many regions of production."""
    names = [("development", "development"), ("staging", "staging")]
    names += [("production", name) for name in production_names(production)]
    return tuple(_place(environment, name, ports) for environment, name in names)


def production_names(count: int) -> Sequence[str]:
    """The first `count` regions; beyond the real names they are numbered."""
    return [*PRODUCTION, *(f"region-{number}" for number in range(len(PRODUCTION) + 1, count + 1))][:count]


def _place(environment: str, name: str, ports: KeptPorts) -> Place:
    return Place(
        environment=environment,
        name=name,
        context=name if environment == name else f"{environment}-{name}",
        api=ports.port(f"{name}.api"),
        public={listener: ports.port(f"{name}.{listener}") for listener in LISTENERS},
        served={listener: ports.port(f"{name}.{listener}.gateway") for listener in LISTENERS},
    )
