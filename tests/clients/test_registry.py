"""The registry client against a real registry."""

from __future__ import annotations

import httpx
import pytest
from registry_images import push_image

from clients import oci
from clients.registry import Registry
from release.errors import Refused, Unavailable
from sandbox.registry import RegistryAccess

MISSING = "sha256:" + "0" * 64


async def test_a_tag_or_digest_that_is_not_there_is_none(registry: Registry) -> None:
    assert await registry.manifest("v1.0.0") is None
    assert await registry.manifest(MISSING) is None


async def test_promotion_gives_the_same_bytes_a_further_tag(registry: Registry) -> None:
    digest = await push_image(registry, "build-1", {"version": "1.0.0"})
    await registry.promote(digest, "v1.0.0")
    await registry.promote(digest, "v1.0.0")
    promoted, built = await registry.manifest("v1.0.0"), await registry.manifest("build-1")
    assert promoted == built
    assert promoted is not None
    assert promoted.digest == digest


async def test_tags_are_listed_by_their_beginning(registry: Registry) -> None:
    assert await registry.tags() == ()
    first = await push_image(registry, "v1.0.0", {"version": "1.0.0"})
    await registry.write_record("verified-1", first, {"commit": "1"})
    await registry.write_record("verified-2", first, {"commit": "2"})
    assert await registry.tags() == ("v1.0.0", "verified-1", "verified-2")
    assert await registry.tags("verified-") == ("verified-1", "verified-2")


async def test_asking_whether_one_may_push_leaves_nothing(registry: Registry) -> None:
    await registry.may_push()
    assert await registry.tags() == ()


async def test_who_may_not_push_is_told() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(403))
    async with Registry("http://127.0.0.1:1", "shop", username=None, password=None, transport=transport) as closed:
        with pytest.raises(Refused, match="push"):
            await closed.may_push()


async def test_tags_of_a_registry_that_pages_are_all_found() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "last" in request.url.params:
            return httpx.Response(200, json={"name": "shop", "tags": ["c"]})
        headers = {"Link": '</v2/shop/tags/list?last=b&n=2>; rel="next"'}
        return httpx.Response(200, json={"name": "shop", "tags": ["b", "a"]}, headers=headers)

    transport = httpx.MockTransport(answer)
    async with Registry("http://127.0.0.1:1", "shop", username=None, password=None, transport=transport) as paged:
        assert await paged.tags() == ("a", "b", "c")


async def test_a_tag_that_names_another_image_is_not_moved_unless_asked(registry: Registry) -> None:
    first = await push_image(registry, "v1.0.0", {"version": "1.0.0"})
    second = await push_image(registry, "build-2", {"version": "1.1.0"})
    with pytest.raises(Refused) as refused:
        await registry.promote(second, "v1.0.0")
    assert refused.value.field == "tag"
    assert all(part in str(refused.value) for part in ("v1.0.0", first, second))
    await registry.promote(second, "v1.0.0", move=True)
    moved = await registry.manifest("v1.0.0")
    assert moved is not None
    assert moved.digest == second


async def test_an_image_that_is_not_there_cannot_be_promoted_or_recorded(registry: Registry) -> None:
    with pytest.raises(Refused, match=MISSING):
        await registry.promote(MISSING, "v1.0.0")
    with pytest.raises(Refused, match=MISSING):
        await registry.write_record("verified-1", MISSING, {})


async def test_an_index_is_promoted_whole_and_gives_its_linux_images_labels(registry: Registry) -> None:
    images = {arch: await push_image(registry, arch, {"arch": arch}) for arch in ("arm64", "amd64")}
    entries = []
    for arch, digest in images.items():
        image = await registry.manifest(digest)
        assert image is not None
        entries.append({**image.descriptor, "platform": {"os": "linux", "architecture": arch}})
    body = oci.to_bytes({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": entries})
    digest = await registry.put_manifest("build-1", oci.INDEX, body)
    await registry.promote(digest, "v1.0.0")
    promoted = await registry.manifest("v1.0.0")
    assert promoted is not None
    assert (promoted.body, promoted.media_type) == (body, oci.INDEX)
    assert await registry.labels(digest) == {"arch": "amd64"}


async def test_labels_are_those_of_the_images_configuration(registry: Registry) -> None:
    labels = {"org.opencontainers.image.version": "1.0.0", "dev.tidegate.sandbox.crash": "us-east-1"}
    assert await registry.labels(await push_image(registry, "v1", labels)) == labels


async def test_a_record_is_read_back_and_names_its_image(registry: Registry) -> None:
    digest = await push_image(registry, "v1.0.0", {})
    payload = {"commit": "abc", "by": "Zoë", "count": 3}
    record = await registry.write_record("verified-1.0.0", digest, payload)
    assert await registry.read_record("verified-1.0.0") == payload
    manifest = await registry.manifest(record)
    assert manifest is not None
    assert manifest.content["subject"]["digest"] == digest
    assert manifest.content["artifactType"] == oci.RECORD


async def test_a_record_is_replaced_by_the_next_one(registry: Registry) -> None:
    digest = await push_image(registry, "v1.0.0", {})
    await registry.write_record("verified", digest, {"run": "1"})
    await registry.write_record("verified", digest, {"run": "2"})
    assert await registry.read_record("verified") == {"run": "2"}


async def test_what_is_no_record_is_told_from_one_that_is_missing(registry: Registry) -> None:
    assert await registry.read_record("verified") is None
    await push_image(registry, "v1.0.0", {})
    with pytest.raises(Refused, match="not a record"):
        await registry.read_record("v1.0.0")


async def test_a_wrong_password_is_refused_by_field_and_never_repeated(registry_access: RegistryAccess) -> None:
    async with Registry(registry_access.url, "shop", username="tidegate", password="hunter2") as stranger:
        with pytest.raises(Refused) as refused:
            await stranger.manifest("v1.0.0")
    assert refused.value.field == "registry.username/password"
    assert "hunter2" not in str(refused.value)


async def test_without_credentials_nothing_is_let_in(registry_access: RegistryAccess) -> None:
    async with Registry(registry_access.url, "shop", username=None, password=None) as stranger:
        with pytest.raises(Refused):
            await stranger.put_blob(b"x")


@pytest.mark.parametrize("tag", ["", "a/b", "../other", "v1?x=1", "-v1", "x" * 129, "sha256:12"])
async def test_a_reference_that_is_neither_tag_nor_digest_is_refused(registry: Registry, tag: str) -> None:
    with pytest.raises(Refused) as refused:
        await registry.manifest(tag)
    assert refused.value.field == "tag"


async def test_a_registry_that_is_gone_is_unavailable(unused_tcp_port: int) -> None:
    async with Registry(f"http://127.0.0.1:{unused_tcp_port}", "shop", username=None, password=None) as client:
        with pytest.raises(Unavailable, match=f"127.0.0.1:{unused_tcp_port}"):
            await client.manifest("v1.0.0")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match=r"registry\.url"):
        Registry("localhost:5000", "shop", username=None, password=None)
