"""What the node asks the registry, and kubelet's words when it gets no image."""

from __future__ import annotations

import asyncio
import json

import pytest
from node_registry import FakeRegistry, digest_of

from sandbox.node.images import PullError, Reference, parse


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("127.0.0.1:5000/shop:1.4.0", Reference("127.0.0.1:5000", "shop", "1.4.0")),
        ("localhost/a/b", Reference("localhost", "a/b", "latest")),
        ("nginx", Reference("docker.io", "library/nginx", "latest")),
        ("library/nginx:1", Reference("docker.io", "library/nginx", "1")),
        (f"h:1/shop:x@sha256:{'a' * 64}", Reference("h:1", "shop", f"sha256:{'a' * 64}")),
    ],
)
def test_references(image: str, expected: Reference) -> None:
    assert parse(image) == expected


def test_a_reference_that_is_none() -> None:
    with pytest.raises(PullError) as error:
        parse("127.0.0.1:5000/shop@sha256:12")
    assert error.value.reason == "InvalidImageName"


async def test_an_image_is_read_and_its_digest_reported() -> None:
    registry = FakeRegistry()
    digest = registry.push("1.4.0", crash="everywhere")
    images = registry.images()
    image = await images.image("127.0.0.1:5000/shop:1.4.0")
    assert image.id == f"127.0.0.1:5000/shop@{digest}"
    assert image.labels["dev.tidegate.sandbox.crash"] == "everywhere"
    assert (image.env, image.command) == ({"HOME": "/"}, ("/shop",))
    await images.close()


async def test_a_pulled_digest_stays_on_the_node_and_is_asked_for_once() -> None:
    registry = FakeRegistry()
    name = f"127.0.0.1:5000/shop@{registry.push('1.4.0')}"
    images = registry.images()
    await asyncio.gather(*(images.image(name) for _ in range(10)))
    assert len(registry.asked) == 2
    registry.down = True
    assert (await images.image(name)).id == name
    await images.close()


async def test_an_index_leads_to_its_amd64_image() -> None:
    registry = FakeRegistry()
    arm, amd = registry.push("arm"), registry.push("amd")
    entries = [
        {"digest": arm, "platform": {"architecture": "arm64"}},
        {"digest": amd, "platform": {"architecture": "amd64"}},
    ]
    index = json.dumps({"manifests": entries}).encode()
    registry.content["both"] = index
    images = registry.images()
    image = await images.image("127.0.0.1:5000/shop:both")
    assert image.id.endswith(digest_of(index))
    assert image.labels["org.opencontainers.image.version"] == "amd"
    await images.close()


@pytest.mark.parametrize(
    ("image", "password", "down", "says"),
    [
        ("127.0.0.1:5000/shop:none", "secret", False, "code = NotFound"),
        ("127.0.0.1:5000/shop:none", "secret", False, "127.0.0.1:5000/shop:none: not found"),
        ("127.0.0.1:5000/shop:1.4.0", "wrong", False, "401 Unauthorized"),
        ("127.0.0.1:5000/shop:1.4.0", "secret", True, "connect: connection refused"),
        ("nginx", "secret", False, "lookup docker.io: no such host"),
    ],
)
async def test_no_image_is_told_as_a_container_runtime_tells_it(
    image: str, password: str, down: bool, says: str
) -> None:
    registry = FakeRegistry()
    registry.push("1.4.0")
    registry.down = down
    images = registry.images(password)
    with pytest.raises(PullError) as error:
        await images.image(image)
    assert says in str(error.value)
    assert password not in str(error.value) or password == "secret"
    assert error.value.reason == "ErrImagePull"
    await images.close()


async def test_a_pull_goes_on_for_the_others_when_one_pod_is_gone() -> None:
    registry = FakeRegistry()
    registry.push("1.4.0")
    images = registry.images()
    first = asyncio.create_task(images.image("127.0.0.1:5000/shop:1.4.0"))
    second = asyncio.create_task(images.image("127.0.0.1:5000/shop:1.4.0"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).labels["org.opencontainers.image.version"] == "1.4.0"
    await images.close()
