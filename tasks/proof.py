"""Who somebody is, by a one-time code of his: it counts once, and nobody may guess."""

from __future__ import annotations

import time
from contextvars import ContextVar

from clients.codes import Codes
from clients.store import Store
from config import load
from release import gates_code, people
from release.errors import Refused, Unavailable
from release.people import Person
from tasks import context

# Who proved at the command line that he asks for the run that goes on in this process; nobody as a rule.
in_place: ContextVar[str | None] = ContextVar("in_place", default=None)


async def prove(name: str, code: str, via: str = "cli") -> Person:
    """The person of that name, whose code is used up by it.

    Raises Refused for somebody unknown, for a wrong or used code, and where no database keeps which were used.
    """
    person = known(name)
    async with await required_store() as store:
        codes, now = Codes(store), time.time()
        await codes.use(person.name, await step(codes, person, code, via, "", now), now)
    return person


async def prove_in_need(name: str, code: str) -> tuple[Person, str]:
    """As `prove`, also without a database: an emergency does not wait for one. Then the code alone is looked at, and
    what that is worth is a sentence, empty otherwise."""
    person = known(name)
    try:
        return await prove(name, code), ""
    except Unavailable as error:
        why = error.what
    except Refused as error:
        if error.field != _DATABASE:
            raise
        why = error.what
    if await _step(person, code, time.time()) is None:
        raise _wrong()
    return person, f"whether {person.name}'s code was used before is not known: {why}"


async def step(codes: Codes, person: Person, code: str, via: str, run: str, given: float) -> int:
    """The time step of a person's code, looked at as of `given` (seconds since the epoch); it is not used up yet.

    Raises Refused for a wrong one, which counts, and after too many.
    """
    now = time.time()
    await codes.require_patience(person.name, now)
    found = await _step(person, code, given)
    if found is None:
        await codes.wrong(person.name, via, run, now)
        raise _wrong()
    return found


def known(name: str) -> Person:
    """The person of that name. Raises Refused."""
    person = people.who(load.settings().persons, name, "cli")
    if person is None:
        raise Refused(
            f"nobody of `people` is called {name!r}.", field="people", next_step="Give a name of tidegate.yaml."
        )
    return person


async def required_store() -> Store:
    """The store, to be opened. Raises Refused where none is configured."""
    store = await context.store()
    if store is None:
        raise Refused(
            "votes and codes need a database that keeps them, and none is configured.",
            field=_DATABASE,
            next_step="Name one in tidegate.yaml; docs/gates.md says how.",
        )
    return store


async def _step(person: Person, code: str, at: float) -> int | None:
    configured = load.settings().people[person.name]
    secret = await context.secret(configured.totp, f"people.{person.name}.totp")
    if secret is None:
        raise Refused(
            f"{person.name} has no secret for one-time codes.",
            field=f"people.{person.name}.totp",
            next_step="Name one in tidegate.yaml.",
        )
    return gates_code.step_of(secret, code, at, period=configured.totp_period_s)


def _wrong() -> Refused:
    return Refused("the code is wrong.", field="code", next_step="Give the one that is shown now.")


_DATABASE = "database.url"
