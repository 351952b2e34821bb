"""Errors come in clusters: how much more they vary from window to window than single errors would."""

from __future__ import annotations

from dataclasses import dataclass, replace

WINDOW = 5.0


@dataclass(frozen=True, slots=True)
class Windows:
    """Sums over closed windows of 5 s of the stable version, and the window that is still open.

    `events` has one number for each metric: errors, then requests over each of the histogram's bounds.
    """

    closed: int = 0
    requests: int = 0
    events: tuple[int, ...] = ()
    squares: tuple[float, ...] = ()
    open_seconds: float = 0.0
    open_requests: int = 0
    open_events: tuple[int, ...] = ()

    def rate(self, metric: int) -> float | None:
        """Events a request in the closed windows; None without requests."""
        return self.events[metric] / self.requests if self.requests and metric < len(self.events) else None

    def phi(self, metric: int) -> float:
        """1 where errors are independent, more where they cluster; 1 too where there is too little to tell."""
        rate = self.rate(metric)
        if self.closed < 2 or not rate:
            return 1.0
        spread = self.squares[metric] - self.events[metric] ** 2 / self.requests
        return max(1.0, spread / ((self.closed - 1) * rate))


def add(windows: Windows, seconds: float, requests: int, events: tuple[int, ...]) -> Windows:
    """The sums after a block."""
    known = windows.open_events or (0,) * len(events)
    grown = replace(
        windows,
        open_seconds=windows.open_seconds + seconds,
        open_requests=windows.open_requests + requests,
        open_events=tuple([one + more for one, more in zip(known, events, strict=True)]),
    )
    return _close(grown) if grown.open_seconds >= WINDOW - 1e-9 else grown


def halve(windows: Windows) -> Windows:
    """The same rates and dispersion with half the weight, so that what is long past fades."""
    return replace(
        windows,
        closed=windows.closed // 2,
        requests=windows.requests // 2,
        events=tuple(count // 2 for count in windows.events),
        squares=tuple(square / 2 for square in windows.squares),
    )


def _close(windows: Windows) -> Windows:
    requests, events = windows.open_requests, windows.open_events
    if not requests:
        return replace(windows, open_seconds=0.0)
    sums, squares = windows.events or (0,) * len(events), windows.squares or (0.0,) * len(events)
    return Windows(
        closed=windows.closed + 1,
        requests=windows.requests + requests,
        events=tuple([total + one for total, one in zip(sums, events, strict=True)]),
        squares=tuple([total + one * one / requests for total, one in zip(squares, events, strict=True)]),
    )
