"""A person's orders to a release under way, by its lock: the command line's and the board's."""

from __future__ import annotations

from clients.lock import Lock
from config import load
from release.errors import Refused


async def give(run: str, what: str, who: str, reason: str) -> str:
    """Tell the run that begins so; what came of it, as a sentence.

    An order goes to who holds an environment's lock; a run that only waits is ended by an abort. Raises Refused where
    there is no such run.
    """
    settings = load.settings()
    kubeconfig = settings.kubeconfig.expanduser()
    for name in reversed(load.ENVIRONMENTS):
        region = next(iter(load.environment(name).regions.values()))
        async with Lock(kubeconfig, region.context, region.namespace, settings.application.name) as lock:
            state = await lock.read()
            if state.held is None or not state.held.holder.run.startswith(run):
                continue
            held = await lock.order(run, what, who, reason)
            return f"told {held.holder.what} in {name}."
    if what != "abort":
        raise Refused(f"no release {run} is under way.", field="run", next_step="See `tidegate status`.")
    from deployments import stopping

    return f"ended {await stopping.stop(run, who, reason)}; it had changed nothing."
