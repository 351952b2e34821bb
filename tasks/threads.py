"""One Slack thread a run and channel: the run's first message there, which is edited as the run goes on, and under
which the rest is told. Only a bot token has threads; with incoming webhooks all of it is plain messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from prefect.artifacts import Artifact
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.runtime import flow_run

from release.errors import TidegateError
from tasks import api, context
from tasks.say import say

_KEY = "slack-threads"
Keep = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Threads:
    """Channel -> the name of its first message. `keep` writes them where they outlive a killed run."""

    first: dict[str, str] = field(default_factory=dict)
    keep: Keep | None = None
    _recalled: bool = False
    _wanted: dict[str, str] = field(default_factory=dict)
    _editing: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """All of them as one line; empty without any."""
        return json.dumps(self.first, sort_keys=True) if self.first else ""

    def adopt(self, text: str) -> None:
        """Go on with what a dead run of the same release began; what cannot be read is left behind."""
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return
        if isinstance(found, dict):
            self.first = {str(channel): str(name) for channel, name in found.items()} | self.first

    async def recall(self) -> None:
        """What this very run began before it was suspended or killed, from its page in Prefect."""
        if self._recalled or not flow_run.id:
            return
        self._recalled = True
        with suppress(Exception):  # a thread less is no reason to tell nothing
            async with api.client() as client:
                own = ArtifactFilterFlowRunId(any_=[UUID(context.run_id())])
                wanted = ArtifactFilter(flow_run_id=own, key=ArtifactFilterKey(any_=[_KEY]))
                found = await client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC, limit=1)
            self.adopt(str(found[0].data) if found else "")

    async def opened(self, channel: str, message: str) -> None:
        """A channel's first message was posted."""
        self.first.setdefault(channel, message)
        if flow_run.id:
            with suppress(Exception):
                await Artifact(type="json", key=_KEY, data=self.first).acreate()
        if self.keep is None:
            return
        try:
            await self.keep(self.text)
        except TidegateError as error:
            # The message is told all the same; only a run that goes on after this one would begin another thread.
            say(f"the thread in Slack was not written down: {error}", warn=True)

    def edit(self, channel: str, text: str) -> None:
        """Let a channel's first message say this soon; the newest text counts, and nobody waits for Slack."""
        if channel not in self.first:
            return
        self._wanted[channel] = text
        if self._editing is None or self._editing.done():
            self._editing = asyncio.create_task(self._edit())

    async def settle(self) -> None:
        """Wait until what was to be edited is, or cannot be."""
        if self._editing is not None:
            await self._editing

    async def _edit(self) -> None:
        while self._wanted:
            channel, text = self._wanted.popitem()
            try:
                # Without what was attached: an approval's buttons are no use any more.
                await (await context.slack()).update(channel, self.first[channel], text, attachments=())
            except TidegateError as error:
                say(f"Slack was not told: {error}", warn=True)


_current: ContextVar[Threads | None] = ContextVar("threads", default=None)


def begin() -> Threads:
    """The threads of a run that begins; its tasks and subflows share them."""
    found = Threads()
    _current.set(found)
    return found


def current() -> Threads:
    """This run's; threads of nobody outside of a run, as in a region's own process."""
    return _current.get() or Threads()
