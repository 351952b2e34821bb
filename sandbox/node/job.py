"""A container that does one thing and ends: a Job, a chart test, an init container."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.node.environment import urls
from sandbox.node.shared import Shared
from sandbox.world import Behaviour

ANSWER_WITHIN = 30.0
CRASH_AFTER = 0.05


async def run_once(
    shared: Shared,
    namespace: str,
    container: Mapping[str, Any],
    values: Mapping[str, str],
    image_command: Iterable[str],
    behaviour: Behaviour,
) -> tuple[int, str]:
    """Asks for each URL that the container names; exit code and message.

    0 where all answer 2xx, 1 at the first that does not. A container that names none ends as its image
    behaves: the crash label is about the application's start, not about a test that shares its image.
    """
    named = urls(container, values, image_command)
    if not named:
        await shared.wait(CRASH_AFTER)
        return (behaviour.crash_code, "") if behaviour.crashes else (0, "")
    message = ""
    for url in named:
        status, message = await _ask(shared, namespace, url)
        if not 200 <= status < 300:
            return 1, message
    return 0, message


async def _ask(shared: Shared, namespace: str, url: str) -> tuple[int, str]:
    if shared.world.fetch is None:
        return 0, f"GET {url}: the sandbox's gateway is not running"
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            answer = await shared.world.fetch(namespace, url)
            await asyncio.sleep(answer.seconds)
    except TimeoutError:
        return 0, f"GET {url}: no answer within {ANSWER_WITHIN:g} s"
    if answer.status == 0:
        return 0, f"GET {url}: {answer.body.decode(errors='replace').strip() or 'no answer'}"
    return answer.status, f"GET {url} answered {answer.status}"
