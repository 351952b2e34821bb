"""The checks before a production release, one function each: pure, from what is known to what a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from release import migrations as crossing
from release import notes, quarantine, verification, wayback
from release.appfile import AppFile
from release.errors import Refused
from release.model import Artifact, RegionState
from release.quarantine import Quarantined
from release.strategy import Want, asked
from release.versions import Version, parse_version


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before the release of `want`.

    `body` is the published GitHub release's, None without one. `record` is staging's verification of the commit,
    `states` the regions, `images` the digests that the registry was asked for and has, `app` the application's file
    at this version. `no_way_back` says that a person accepted that there is none, `quarantined` what the registry
    holds against the image.
    """

    want: Want
    body: str | None
    record: Mapping[str, Any] | None
    states: Sequence[RegionState]
    images: frozenset[str]
    app: AppFile
    no_way_back: bool = False
    quarantined: Quarantined | None = None

    @property
    def new(self) -> Artifact:
        return self.want.artifact


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list: `detail` says what was found, `next_step` what to do where it is not `ok`."""

    name: str
    ok: bool
    detail: str
    next_step: str = ""


def free(facts: Facts) -> Check:
    entry = facts.quarantined
    try:
        quarantine.require_free(entry)
    except Refused as error:
        return Check("quarantine", False, error.what.rstrip("."), error.next_step or "")
    if entry is None:
        return Check("quarantine", True, "it was never taken back")
    return Check("quarantine", True, f"lifted by {entry.lifted_by} at {entry.lifted_at}: {entry.lifted_why}")


def release_notes(facts: Facts) -> Check:
    tag = f"v{facts.new.version}"
    step = f"Publish a GitHub release of {tag} that says what changes for users."
    if facts.body is None:
        return Check("release notes", False, f"there is no published GitHub release of {tag}", step)
    written = notes.text(facts.body)
    if not written:
        return Check("release notes", False, f"the GitHub release of {tag} says nothing", step)
    lines = len(written.splitlines())
    return Check("release notes", True, f"{lines} {'line' if lines == 1 else 'lines'} in the release of {tag}")


def staging(facts: Facts) -> Check:
    new, name = facts.new, "staging verified it"
    try:
        found = verification.artifact_of(facts.record, parse_version(new.version), new.commit)
    except Refused as error:
        return Check(name, False, error.what, error.next_step or "")
    again = f"Stage it again: `tidegate stage v{new.version}`."
    if found.digest != new.digest:
        return Check(name, False, f"staging verified {found.digest[:19]}, not {new.digest[:19]}", again)
    if new.digest not in facts.images:
        return Check(name, False, f"its image {new.digest[:19]} is no longer in the registry", again)
    assert facts.record is not None
    return Check(name, True, f"{new.digest[:19]}, {facts.record.get('verified_at', 'at an unknown time')}")


def way_back(facts: Facts) -> Check:
    name, again = "way back", f"Stage it again: `tidegate stage v{facts.new.version}`."
    accept = "Release with --accept-no-way-back if you take it on you that a bad release cannot be taken back."
    found = wayback.from_dict((facts.record or {}).get("way_back"))
    crossed = _crossed(facts)
    if crossed:
        detail = f"none: irreversible migration {crossed}"
        return _accepted(facts, Check(name, False, detail, accept))
    if found is None or found.result in ("off", "untried"):
        return Check(name, False, str(found) if found else "staging did not rehearse it", again)
    if found.result == "none":
        stale = wayback.live_records(facts.states, facts.new)
        step = f"{again} By now v{stale[0].artifact.version} is there to go back to." if stale else accept
        return _accepted(facts, Check(name, False, str(found), step))
    if found.result == "failed" or not found.in_time:
        return Check(name, False, str(found), f"Mend what keeps it from going back. {again}")
    return Check(name, True, str(found))


def _accepted(facts: Facts, check: Check) -> Check:
    if not facts.no_way_back:
        return check
    return replace(check, ok=True, detail=f"{check.detail}; accepted by --accept-no-way-back", next_step="")


def _crossed(facts: Facts) -> str:
    """The irreversible migrations between what is live in any region and the new version, by name."""
    names: dict[str, None] = {}
    for record in wayback.live_records(facts.states, facts.new):
        for one in crossing.crossed(facts.app, facts.new.version, record.artifact.version):
            names[one.name] = None
    return ", ".join(names)


def last_good(facts: Facts) -> Check:
    name = "last good version"
    unknown = [state.region for state in facts.states if _unrecorded(state, facts.want)]
    if unknown:
        return Check(
            name,
            False,
            f"something runs in {', '.join(unknown)} that was never recorded as live",
            "Look at `tidegate status`; release a verified version there first, or remove what runs.",
        )
    good = {record.artifact for record in wayback.live_records(facts.states, facts.new)}
    gone = sorted(f"v{one.version} ({one.digest[:19]})" for one in good if one.digest not in facts.images)
    if gone:
        step = "Push that image again: without it a release that turns out bad later could not be taken back."
        return Check(name, False, f"the image of {', '.join(gone)} is no longer in the registry", step)
    versions = ", ".join(sorted(f"v{one.version}" for one in good))
    return Check(name, True, f"{versions}, its image is in the registry" if good else "none: it is the first release")


def _unrecorded(state: RegionState, want: Want) -> bool:
    """Whether something is deployed that no record names; what a killed run of this release left does not count."""
    if state.route is not None and state.route.live is not None:
        return False
    return any(slot.release is not None and not asked(slot, want) for slot in (state.blue, state.green))


def migrations(facts: Facts) -> Check:
    name, app = "migrations", facts.app
    if not app.migrations_declared:
        step = "Add the key: `migrations: []` says that there are none."
        return Check(name, False, "the application's tidegate.yaml does not say which migrations it has", step)
    new = parse_version(facts.new.version)
    later = [one for one in app.migrations if one.version > new]
    if later:
        names = ", ".join(f"{one.name} (v{one.version})" for one in later)
        step = "Give them the version they are released with: going back over them would not be seen."
        return Check(name, False, f"declared for a later version than v{new}: {names}", step)
    live = wayback.live_records(facts.states, facts.new)
    said = [
        f"{one.name} (v{one.version}{', IRREVERSIBLE' if one.irreversible else ''})"
        for one in app.migrations
        if not live or any(_older(record.artifact, one.version) for record in live)
    ]
    return Check(name, True, "comes with " + ", ".join(said) if said else "none between what is live and this version")


def _older(artifact: Artifact, version: Version) -> bool:
    try:
        return parse_version(artifact.version) < version
    except Refused:
        return True
