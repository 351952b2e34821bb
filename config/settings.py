"""Every outside thing as an address or an executable's name, from YAML and the environment.

A variable `TIDEGATE__GITHUB__URL` overrides the key `github.url`; secrets are references, never values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.base import Model
from config.login import Login
from config.schema import Address, Name, Secret
from config.service import Service
from release import people as built

# Whatever helm there is.
HELM = "helm"


class Application(Model):
    """The application under release. `chart` is a path in its repository; Tidegate's own chart without one.

    `audit_level` is what the dependency audit fails at: the command gets it as AUDIT_LEVEL.
    """

    name: Name
    git: str
    github: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    image: Annotated[str, StringConstraints(pattern=r"^[^\s/@]+(/[a-z0-9._-]+)+$")]
    chart: str | None = None
    branch: str = "main"
    build_args: dict[str, str] = {}
    audit_level: Literal["low", "moderate", "high", "critical"] = "moderate"


class Registry(Model):
    """The OCI registry that holds the images."""

    url: Address
    username: str | None = None
    password: Secret | None = None


class Engine(Model):
    """What builds images: a Docker Engine, or the announced stand-in `archive`."""

    builder: Literal["engine", "archive"] = "engine"
    host: str | None = None


class GitHubApp(Model):
    """An installation of a GitHub App; `id` is the App's number or its client id."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.]+$")]
    installation: Annotated[int, Field(ge=1)]
    private_key: Secret


class GitHub(Model):
    """GitHub's API, and what lets Tidegate in: a token or an App."""

    url: Address = "https://api.github.com"
    token: Secret | None = None
    app: GitHubApp | None = None

    @model_validator(mode="after")
    def one_way_in(self) -> Self:
        if self.token is not None and self.app is not None:
            raise ValueError("give github.token or github.app, not both")
        return self


class Slack(Model):
    """Slack: one incoming webhook a channel, or a bot token."""

    url: Address = "https://slack.com/api"
    token: Secret | None = None
    webhooks: dict[Literal["deployments", "releases", "incidents"], Secret] = {}
    on_call: str = ""
    # What Slack signs the presses of buttons with.
    signing_secret: Secret | None = None


class Person(Model):
    """Somebody who may act: `slack` is his member id there, `github` his login, `totp` his one-time codes' secret.

    `totp_period_s` is how long a code is shown: 30 s on every usual device.
    """

    roles: Annotated[tuple[built.Role, ...], Field(min_length=1)]
    slack: str = ""
    github: str = ""
    totp: Secret | None = None
    password: Secret | None = None
    openid: str = ""
    totp_period_s: Annotated[int, Field(ge=1, le=300)] = 30

    def build(self, name: str) -> built.Person:
        return built.Person(name, frozenset(self.roles), self.slack, self.github)


class Checks(Model):
    """As whom the application's own commands run: as the worker, who has every secret, or as a user of the machine."""

    runs_as: Annotated[str, Field(alias="as", pattern=r"^(worker|user:[a-z_][a-z0-9_-]{0,31})$")] = "worker"

    @property
    def user(self) -> str | None:
        """The user's name; None for the worker."""
        return self.runs_as.partition(":")[2] or None


class Backup(Model):
    """The database backup webhook."""

    url: Address
    token: Secret | None = None


class Monitoring(Model):
    """Where metrics are read, and the webhook that is told of releases."""

    url: Address | None = None
    # The gateway's counters, or a Prometheus server; `{region}` is replaced. `url` where it is not given.
    metrics: Address | None = None
    # Where `verdict.provider` is json and its answers hold no `requests`: what is usual, rather too few than too many.
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    webhook: Address | None = None


class PrefectServer(Model):
    """The Prefect server; None where Prefect's own profile decides."""

    api: Address | None = None


class Database(Model):
    """Tidegate's own database, whose address may hold a password: PostgreSQL, `postgresql://...`."""

    url: Secret


class Sandbox(Model):
    """Only read where the target is the sandbox: `speed` divides every wait, never a time-out.

    `timer_speed` divides the gates' wait timer besides: nobody waits half an hour to see a sandbox release.
    """

    speed: Annotated[float, Field(ge=0.1, le=1000)] = 1.0
    timer_speed: Annotated[float, Field(ge=1, le=100_000)] = 1.0


class Settings(BaseSettings):
    """All settings. Raises pydantic's ValidationError; `config.load` names the file, the key and the rule."""

    model_config = SettingsConfigDict(env_prefix="TIDEGATE__", env_nested_delimiter="__", extra="forbid", frozen=True)

    target: Literal["real", "sandbox"] = "real"
    application: Application
    kubeconfig: Path = Path("~/.kube/config")
    helm: str = HELM
    registry: Registry
    engine: Engine = Engine()
    github: GitHub = GitHub()
    slack: Slack = Slack()
    backup: Backup | None = None
    monitoring: Monitoring = Monitoring()
    prefect: PrefectServer = PrefectServer()
    database: Database | None = None
    people: dict[Name, Person] = {}
    login: Login = Login()
    service: Service = Service()
    checks: Checks = Checks()
    sandbox: Sandbox = Sandbox()

    @property
    def persons(self) -> dict[str, built.Person]:
        """The people by name."""
        return {name: person.build(name) for name, person in self.people.items()}

    @property
    def names_helm(self) -> bool:
        """Whether a helm of its own is named: it is used as it is."""
        return self.helm != HELM

    @property
    def speed(self) -> float:
        """What every wait is divided by: 1 unless the target is the sandbox."""
        return self.sandbox.speed if self.target == "sandbox" else 1.0

    @property
    def timer_speed(self) -> float:
        """What the gates' timer is divided by besides."""
        return self.sandbox.timer_speed if self.target == "sandbox" else 1.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings
