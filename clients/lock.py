"""The lock of an application and environment: a Lease, changed only by compare-and-swap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from clients import lease
from clients.kube import Kube
from clients.kube_errors import Conflict
from clients.lease import State
from release import locking, names, runs, steering
from release.errors import Refused, Unavailable
from release.locking import Decision, Ended, Held, Holder, Reacquire, Take, Wait

# Every conflict means that another run has moved on, so this many in a row are not met in practice.
_TRIES = 10


class Lock:
    """`async with Lock(kubeconfig, context, namespace, app)`. Times are the API server's, never this machine's.

    Every method raises Unavailable when the API server does not answer. Each is safe to do again after that:
    a write whose answer was lost is found done.
    """

    def __init__(self, kubeconfig: Path, context: str, namespace: str, app: str, *, timeout: float = 10.0) -> None:
        self._kube = Kube(kubeconfig, context, timeout=timeout)
        self._name = names.lock(app)
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

    async def __aenter__(self) -> Self:
        await self._kube.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._kube.__aexit__(kind, error, trace)

    async def read(self) -> State:
        """Who holds it (None for nobody), what was broken or lapsed before, and the API server's time."""
        answer = await self._kube.find(f"{self._collection}/{self._name}")
        if answer is None:
            # The object is missing, so its answer's time was lost with the error: ask for it.
            return State(None, (), None, (await self._kube.send("GET", "/version")).now)
        return lease.read(answer.body, answer.now)

    async def acquire(self, me: Holder, seconds: float) -> Decision:
        """Try once to have it, for `seconds` after each renewal: Take or Reacquire when it is ours now, else Wait."""
        for _ in range(_TRIES):
            state = await self.read()
            decision = locking.may_take(state.held, me, state.now)
            if isinstance(decision, Wait):
                return decision
            if await self._write(_taken(state, decision, me, seconds)):
                return decision
        raise self._contended()

    async def renew(self, me: Holder, seconds: float) -> Held:
        """Keep it for another `seconds`, with the note that `me` has by now. Raises LockLost when it is not ours
        any more: change nothing then."""
        for _ in range(_TRIES):
            state = await self.read()
            ours = _ours(state, me)
            # A note that could not be written when it was made.
            holder = replace(ours.holder, note=me.note or ours.holder.note)
            held = replace(ours, holder=holder, renewed=state.now, lease=seconds)
            if await self._write(replace(state, held=held)):
                return held
        raise self._contended()

    async def note(self, me: Holder) -> Held:
        """Write on it what `me` says now. Raises LockLost when it is not ours any more."""
        for _ in range(_TRIES):
            state = await self.read()
            held = replace(_ours(state, me), holder=me)
            if await self._write(replace(state, held=held)):
                return held
        raise self._contended()

    async def mine(self, me: Holder) -> Held:
        """The lock as it is, orders included. Raises LockLost when it is not ours any more."""
        return _ours(await self.read(), me)

    async def release(self, me: Holder) -> Held | None:
        """Give it back, as it was. None when it was not ours any more: then nothing is changed."""
        for _ in range(_TRIES):
            state = await self.read()
            if not locking.mine(state.held, me):
                return None
            if await self._write(replace(state, held=None)):
                return state.held
        raise self._contended()

    async def break_lock(self, who: str, reason: str) -> Held | None:
        """Take it away from whoever holds it; both names stay in its history. None when nobody held it."""
        if not (who.strip() and reason.strip()):
            raise Refused("Breaking a lock needs a name and a reason.", field="reason" if who.strip() else "who")
        for _ in range(_TRIES):
            state = await self.read()
            if state.held is None:
                return None
            ended = Ended("broken", state.held.holder, who, reason, state.now)
            history = locking.remember(state.history, ended)
            if await self._write(replace(state, held=None, history=history)):
                return state.held
        raise self._contended()

    async def order(self, run: str, what: str, who: str, reason: str) -> Held:
        """Tell the holder `run` (the beginning of its id will do). Raises Refused where it does not hold the lock, and
        for a beginning that is too short."""
        runs.require(run)
        for _ in range(_TRIES):
            state = await self.read()
            if state.held is None or not state.held.holder.run.startswith(run):
                raise Refused(
                    f"no release {run} is under way here.", field="run", next_step="See `tidegate status` for what is."
                )
            told = steering.order(what, who, reason, state.now)
            held = replace(state.held, orders=(*state.held.orders, told))
            if await self._write(replace(state, held=held)):
                return held
        raise self._contended()

    async def _write(self, state: State) -> bool:
        """Create or replace the Lease, if nobody has since it was read."""
        body = lease.manifest(self._name, state)
        path = self._collection if state.version is None else f"{self._collection}/{self._name}"
        method = "POST" if state.version is None else "PUT"
        try:
            await self._kube.send(method, path, query={"fieldManager": names.FIELD_MANAGER}, body=body)
        except Conflict:
            return False
        return True

    def _contended(self) -> Unavailable:
        return Unavailable(
            f"The lock {self._name} changed at every try.", field="lock", next_step="Try again in a moment."
        )


def _ours(state: State, me: Holder) -> Held:
    """Raises LockLost where another run holds it, another process of this one, or nobody."""
    if state.held is None or not locking.mine(state.held, me):
        raise locking.lost(me, state.held)
    return state.held


def _taken(state: State, decision: Take | Reacquire, me: Holder, seconds: float) -> State:
    history = state.history
    if isinstance(decision, Take) and decision.lapsed is not None:
        dead = decision.lapsed.holder
        ended = Ended("lapsed", dead, me.who, f"taken over by run {me.run}", state.now)
        history = locking.remember(history, ended)
    mine = decision.held if isinstance(decision, Reacquire) else None
    since, orders = (mine.since, mine.orders) if mine else (state.now, ())
    return replace(state, held=Held(me, since, state.now, seconds, orders), history=history)
