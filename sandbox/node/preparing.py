"""What a container needs before it starts, and how a kubelet says that it is missing: the image, the configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sandbox.node import behaviour as behaviours
from sandbox.node.environment import ConfigError, needed, resolve
from sandbox.node.images import Image, PullError
from sandbox.node.owner import Owner
from sandbox.node.status import ContainerState, waiting
from sandbox.world import Behaviour

BACK_OFF = 10.0
LONGEST_BACK_OFF = 300.0
CONFIG_AGAIN = 2.0
_ADOPTED_AGAIN = 0.5


async def pull(owner: Owner, spec: Mapping[str, Any], state: ContainerState, *, adopted: bool) -> Image:
    """The container's image, as soon as there is one; an `adopted` container runs already, so nothing is said."""
    back_off = BACK_OFF
    while True:
        try:
            image = await owner.shared.images.image(spec["image"])
        except PullError as error:
            if adopted:
                await asyncio.sleep(_ADOPTED_AGAIN)
                continue
            await _not_pulled(owner, spec["image"], state, error, back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF)
        else:
            if not adopted:
                owner.tell("Pulled", f'Successfully pulled image "{spec["image"]}"', state.name, normal=True)
            state.image_id = image.id
            return image


async def _not_pulled(owner: Owner, name: str, state: ContainerState, error: PullError, back_off: float) -> None:
    state.state = waiting(error.reason, str(error))
    owner.tell("Failed", f'Failed to pull image "{name}": {error}', state.name)
    owner.tell("Failed", f"Error: {error.reason}", state.name)
    await owner.publish()
    if error.reason == "ErrImagePull":
        await owner.shared.wait(0.5)
        state.state = waiting("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {error}')
        owner.tell("BackOff", f'Back-off pulling image "{name}"', state.name, normal=True)
        await owner.publish()
    await owner.shared.wait(back_off)


async def configure(
    owner: Owner, spec: Mapping[str, Any], state: ContainerState, image: Image
) -> tuple[dict[str, str], Behaviour]:
    """The container's environment and the image's behaviour, as soon as nothing is missing for them."""
    while True:
        try:
            found = behaviours.from_labels(image.labels, owner.region)
            objects = {key: await _object(owner, *key) for key in needed(spec)}
            return resolve(spec, image.env, objects, owner.pod), found
        except (ConfigError, ValueError) as error:
            state.state = waiting("CreateContainerConfigError", str(error))
            owner.tell("Failed", f"Error: {error}", state.name)
            await owner.publish()
            await owner.shared.wait(CONFIG_AGAIN)


async def _object(owner: Owner, kind: str, name: str) -> dict[str, Any] | None:
    path = f"/api/v1/namespaces/{owner.pod['metadata']['namespace']}/{kind.lower()}s/{name}"
    status, found = await owner.shared.api.insist("GET", path)
    return found if status == 200 else None
