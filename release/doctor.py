"""What an examination of the outside systems found, and what a person does about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

# The lock's leases and the recorded times bear this much difference between clocks.
SKEW_S = 5.0
OLDEST = (1, 30)
HELM = 4
# Of a GitHub App, in GitHub's words.
APP_NEEDS = frozenset(("contents: write", "deployments: write", "pull_requests: write", "statuses: write"))

Grade = Literal["ok", "note", "wrong", "silent"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `about` the system, `what` of it. A `note` is worth knowing and stops nothing;
    `silent` did not answer."""

    about: str
    what: str
    grade: Grade
    detail: str
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource, as RBAC names them; `group` is empty for the core API."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}"


def exit_code(found: Sequence[Finding]) -> int:
    """5 where something does not answer, else 2 where something is wrong, else 0."""
    grades = {one.grade for one in found}
    return 5 if "silent" in grades else 2 if "wrong" in grades else 0


def rights(role: Mapping[str, Any]) -> tuple[Right, ...]:
    """Every right that a Role grants, once each."""
    every = [
        Right(group, resource, verb)
        for rule in role.get("rules") or ()
        for group in rule.get("apiGroups") or ("",)
        for resource in rule.get("resources") or ()
        for verb in rule.get("verbs") or ()
    ]
    return tuple(dict.fromkeys(every))


def cluster_version(about: str, version: str) -> Finding:
    """Whether the API server is one that Tidegate was tried with: `version` is such as v1.37.2."""
    numbers = version.removeprefix("v").split(".")
    try:
        known = (int(numbers[0]), int(numbers[1].rstrip("+")))
    except (IndexError, ValueError):
        return Finding(about, "cluster", "note", f"it calls itself {version}", "See that it is Kubernetes.")
    if known < OLDEST:
        mend = f"Upgrade it to {OLDEST[0]}.{OLDEST[1]} or newer."
        return Finding(about, "cluster", "wrong", f"Kubernetes {version} is too old", mend)
    return Finding(about, "cluster", "ok", f"Kubernetes {version}")


def helm_version(version: str) -> Finding:
    """`version` is such as v4.3.1."""
    major = version.removeprefix("v").partition(".")[0]
    if major.isdigit() and int(major) >= HELM:
        return Finding("helm", "executable", "ok", version)
    return Finding("helm", "executable", "wrong", f"{version} is not version {HELM}", f"Install helm {HELM}.")


def github_token(repo: str, given: frozenset[str]) -> Finding:
    """`given` is what the token may do in the repository: pull, push, ..."""
    if "push" in given:
        return Finding("github", "token", "ok", f"{repo}: {_listed(given)}")
    mend = "Give it contents, deployments, pull requests and commit statuses: read and write."
    return Finding("github", "token", "wrong", f"it may {_listed(given)} in {repo}, not push", mend)


def github_app(repo: str, given: frozenset[str]) -> Finding:
    """`given` is what the installation may do: `contents: write`, ..."""
    if missing := APP_NEEDS - given:
        mend = "Give the App these permissions at GitHub, then accept them for the installation."
        return Finding("github", "app", "wrong", f"it lacks {_listed(missing)} in {repo}", mend)
    return Finding("github", "app", "ok", f"{repo}: {_listed(given)}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def on_call(who: str, *, incidents: bool) -> Finding:
    """Whether a message to `incidents` calls anybody by name; `incidents` says that Slack gets such messages at all."""
    if who:
        return Finding("slack", "on call", "ok", f"{who} is called in #incidents")
    if not incidents:
        return Finding("slack", "on call", "ok", "nothing is sent to #incidents")
    mend = "Set slack.on_call to who is on call, as Slack writes it: <!subteam^ID>."
    return Finding("slack", "on call", "note", "a failed release calls nobody by name, only <!here>", mend)


def clock(about: str, skew: float) -> Finding:
    """`skew` is how many seconds that system's clock is ahead of ours; it tells whole seconds."""
    if abs(skew) <= SKEW_S:
        return Finding(about, "clock", "ok", f"within {max(1.0, abs(skew)):.0f} s of ours")
    side = "ahead of" if skew > 0 else "behind"
    mend = "Synchronise both machines' clocks (NTP)."
    return Finding(about, "clock", "wrong", f"{abs(skew):.0f} s {side} ours", mend)


def missing_rights(about: str, missing: Sequence[Right], asked: int) -> Finding:
    """Whether the account has every right of the Role."""
    if not missing:
        return Finding(about, "rights", "ok", f"all {asked} of infrastructure/rbac/role.yaml")
    shown = ", ".join(str(one) for one in missing[:6])
    more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
    mend = "Apply infrastructure/rbac/role.yaml to the namespace and bind it to that account."
    return Finding(about, "rights", "wrong", f"it may not {shown}{more}", mend)
