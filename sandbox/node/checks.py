"""When a container's probes are due, and what their answers make of it: time goes in, nothing waits here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.node.probes import Application, Probe, ask

NEVER = float("inf")
FIRST_LOOK = 1.0
"""Seconds: an application that is up this soon is not caught still starting."""


@dataclass(slots=True)
class _Track:
    probe: Probe
    at: float
    failed: int = 0
    passed: int = 0


class Checks:
    """The probes of one run of a container.

    `started` and `ready` are what the container's status says. `killed` is None until a startup or liveness
    probe has failed often enough; then kubelet's sentence on it. Times are seconds of one clock; `speed`
    divides the probes' delays and periods. `up_after` is how long the application takes to start, as simulated.
    """

    def __init__(self, probes: Iterable[Probe], began: float, up_after: float, speed: float) -> None:
        self._speed = speed
        first = up_after if up_after <= FIRST_LOOK else 0.0
        self._tracks = {probe.kind: _Track(probe, began + max(probe.delay, first) / speed) for probe in probes}
        self.started = "startup" not in self._tracks
        self.ready = self.started and "readiness" not in self._tracks
        self.killed: str | None = None

    def hurry(self, now: float) -> None:
        """The application changed: those that already answer are asked again at once."""
        for track in self._tracks.values():
            if track.failed or track.passed:
                track.at = now

    def next(self) -> float:
        """When to ask again; NEVER while every answer is yes, because only a change can alter it."""
        return min((track.at for track in self._active() if not self._settled(track)), default=NEVER)

    def ask(self, now: float, application: Application) -> list[str]:
        """Asks what is due; the failures, in kubelet's words."""
        failures = []
        for track in self._active():
            if track.at <= now:
                failure = ask(track.probe, application)
                self._count(track, now, failure)
                if failure:
                    failures.append(failure)
        return failures

    def _active(self) -> list[_Track]:
        startup = self._tracks.get("startup")
        if startup is not None and not self.started:
            return [startup]
        return [track for kind, track in self._tracks.items() if kind != "startup"]

    def _settled(self, track: _Track) -> bool:
        return track.passed >= track.probe.successes and not track.failed

    def _count(self, track: _Track, now: float, failure: str | None) -> None:
        track.at = now + track.probe.period / self._speed
        track.passed = 0 if failure else track.passed + 1
        track.failed = track.failed + 1 if failure else 0
        kind = track.probe.kind
        if failure and track.failed >= track.probe.failures and kind != "readiness":
            self.killed = f"failed {kind} probe, will be restarted"
        if kind == "startup" and not failure:
            self._start(now)
        if kind == "readiness" and track.passed >= track.probe.successes:
            self.ready = True
        if kind == "readiness" and track.failed >= track.probe.failures:
            self.ready = False

    def _start(self, now: float) -> None:
        self.started = True
        self.ready = "readiness" not in self._tracks
        for track in self._tracks.values():
            track.at = min(track.at, now)
