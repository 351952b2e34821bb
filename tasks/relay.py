"""The two lines between a release and its run in a region's worker: JSON artifacts at the Prefect server, each
written by one side and read by the other. They stay as a record of what was told."""

from __future__ import annotations

from typing import Any, Generic, TypeVar
from uuid import UUID

import httpx
from prefect import task
from prefect.artifacts import Artifact
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterId
from prefect.exceptions import PrefectHTTPStatusError
from pydantic import TypeAdapter

from release.errors import Unavailable
from release.relay import Said, Told
from tasks import api
from tasks.policy import PATIENT

T = TypeVar("T", Told, Said)


class Line(Generic[T]):
    """One of the two. Every call raises Unavailable where the Prefect server does not answer."""

    def __init__(self, kind: type[T], id: UUID) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)
        self._id = id

    async def read(self) -> T:
        """What was written last."""
        wanted = ArtifactFilter(id=ArtifactFilterId(any_=[self._id]))
        try:
            async with api.client() as client:
                found = await client.read_artifacts(artifact_filter=wanted)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise _silent(error) from error
        if not found:
            raise Unavailable("what the release tells its region is gone from the Prefect server.")
        data = found[0].data
        return self._adapter.validate_json(data) if isinstance(data, str) else self._adapter.validate_python(data)

    async def write(self, value: T) -> None:
        """Say something else from now on."""
        update = ArtifactUpdate(data=self._adapter.dump_json(value).decode())
        try:
            async with api.client() as client:
                await client.update_artifact(self._id, update)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise _silent(error) from error


@task(task_run_name="lines to {region}", **PATIENT)
async def begin(region: str, told: Told) -> tuple[UUID, UUID]:
    """Two new lines of the current run: what the release tells the region, and what that answers."""
    return (
        await _made(f"What the release tells {region}", TypeAdapter(Told).dump_python(told, mode="json")),
        await _made(f"What {region} tells the release", TypeAdapter(Said).dump_python(Said(), mode="json")),
    )


async def _made(description: str, first: dict[str, Any]) -> UUID:
    try:
        return (await Artifact(type="json", data=first, description=description).acreate()).id
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise _silent(error) from error


def _silent(error: Exception) -> Unavailable:
    return Unavailable(f"the Prefect server does not answer ({type(error).__name__}).", field="prefect.api")
