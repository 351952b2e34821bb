"""A Docker work pool: a whole release as a container, on an image that is made here."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from desk import OPEN, Desk
from look import Look
from processes import begin_group, end_groups, prefect, run_prefect
from waiting import until

from config import load

pytestmark = pytest.mark.slow
IMAGE, POOL = "tidegate-made-here", "tidegate-docker"
# This machine's own programs and libraries: no base image can be pulled here.
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc")


@pytest.fixture
def engine(look: Look) -> Iterator[docker.DockerClient]:
    host = load.settings().engine.host
    if host is None:
        pytest.skip("no Docker Engine runs here")
    client = docker.DockerClient(base_url=host)
    empty = io.BytesIO()
    with tarfile.open(fileobj=empty, mode="w") as tar:
        for name in ("tmp", "empty"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(folder)
    # Prefect copies a run's working directory.
    client.api.import_image_from_data(empty.getvalue(), repository=IMAGE, tag="latest", changes=["WORKDIR /empty"])
    yield client
    client.close()


def volumes(desk: Desk) -> list[str]:
    """What a run needs, at the paths where it is here; only the sandbox's folders can be written."""
    read = {*SYSTEM, sys.base_prefix, sys.prefix, str(load.CHECKOUT)}
    write = {str(desk.home), str(desk.scratch), str(load.cache())}
    return [f"{path}:{path}:ro" for path in sorted(read) if Path(path).exists()] + [f"{one}:{one}" for one in write]


def in_containers(api: str, variables: dict[str, Any]) -> str:
    """Production's deployment once more, for the Docker pool; its id."""
    with httpx.Client(base_url=f"{api}/", timeout=20, trust_env=False) as client:
        known = client.get("deployments/name/production/production").raise_for_status().json()
        kept = ("flow_id", "entrypoint", "pull_steps", "path", "parameters", "parameter_openapi_schema")
        body = {key: known[key] for key in kept} | {"name": POOL, "work_pool_name": POOL, "job_variables": variables}
        return str(client.post("deployments/", json=body).raise_for_status().json()["id"])


def test_a_release_runs_as_a_container(desk: Desk, look: Look, another: str, engine: docker.DockerClient) -> None:
    home, api = desk.variant(production=OPEN), str(load.settings().prefect.api)
    env = {**desk.environment(home), "PREFECT_API_URL": api, "DOCKER_HOST": str(load.settings().engine.host)}
    run_prefect("work-pool", "create", "tidegate", "--type", "process", "--overwrite", env=env)
    run_prefect("work-pool", "create", POOL, "--type", "docker", "--overwrite", env=env)
    run_prefect("--no-prompt", "deploy", "-n", "production", env=env)
    environment = {
        "PREFECT_API_URL": api,
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TIDEGATE_HOME": str(home),
        "TIDEGATE_CACHE": str(load.cache()),
        "TIDEGATE_GUARD": "off",
        "PYTHONPATH": str(load.CHECKOUT),
    }
    variables = {
        "image": f"{IMAGE}:latest",
        "image_pull_policy": "Never",
        "network_mode": "host",
        "volumes": volumes(desk),
        "env": environment,
        "command": f"{sys.executable} -m prefect flow-run execute",
    }
    deployment = in_containers(api, variables)
    log = desk.folder() / "worker"
    words = ("worker", "start", "--pool", POOL, "--type", "docker", "--name", "docker-here")
    worker = begin_group(prefect(*words), log, env)
    try:
        body = {"parameters": {"tag": another, "accept_no_way_back": True}, "state": {"type": "SCHEDULED"}}
        made = httpx.post(f"{api}/deployments/{deployment}/create_flow_run", json=body, trust_env=False)
        run = str(made.raise_for_status().json()["id"])
        until(lambda: look.run(run)["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED"))
        containers = engine.containers.list(all=True, filters={"label": f"io.prefect.flow-run-id={run}"})
    finally:
        for one in engine.containers.list(filters={"ancestor": IMAGE}):
            one.remove(force=True)
        end_groups([worker])
    state = look.run(run)["state"]
    assert state["name"] == "Released", (state, log.read_text()[-3000:])
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}
    assert len(containers) == 1
