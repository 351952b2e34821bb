"""A person at the command line of one sandbox: what they can do. What they can look at is in `look.py`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import yaml
from sqlalchemy import update

from clients.lock import Lock
from clients.registry import Registry
from clients.tables import gate_requests
from config import load
from release import gates_code, quarantine
from release.steering import What
from release.versions import parse_tag
from sandbox import state
from sandbox.forks import Forked, Forks
from sandbox.shop import history
from sandbox.shop.fastimport import git
from tasks.proof import required_store

# Requests a second and region, times the speed: enough to be seen, few enough for two cores.
USERS = "1"
# Seconds: how long a command may take is not what is tested, and three of them may share two processors.
LONG = 900.0
# Production's pods in a region; TEN where their number matters. Two cores can start so many a second.
PODS = 4
TEN = {"replicas": 10}
PIPELINES = ("develop", "stage", "release", "hotfix", "rollback", "retire")


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended. `outcome` is what its run told, empty where no run began; `text` is what was shown."""

    code: int
    outcome: dict[str, Any]
    text: str
    seconds: float

    @property
    def word(self) -> str:
        return str(self.outcome.get("word", ""))

    @property
    def reason(self) -> str:
        return str(self.outcome.get("reason", ""))

    def regions(self) -> dict[str, str]:
        """Region -> outcome, in the order in which they were told."""
        return {one["region"]: one["outcome"] for one in self.outcome.get("regions", ())}


# For production: nobody has to approve.
OPEN = {"gates": {"approvals": 0, "wait_s": 0}}


class Running:
    """A command that runs: wait for a line of it, kill it, or wait for its end."""

    def __init__(
        self,
        desk: Desk,
        argv: tuple[str, ...],
        home: Path,
        folder: Path,
        actor: str,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._began, self._desk = time.monotonic(), desk
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._out.touch()
        self._err.touch()
        self.process = desk.begin(argv, {**desk.environment(home, actor), **(more or {})}, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    @property
    def text(self) -> str:
        return self._err.read_text(errors="replace")

    def until(self, what: str | Callable[[], bool], within: float = 90.0) -> None:
        """Returns as soon as the line was shown, or the condition holds, while the command still runs."""
        deadline = time.monotonic() + within
        while not (what in self.text if isinstance(what, str) else what()):
            assert self.process.poll() is None, f"it ended before {what!r}: {self.text}"
            assert time.monotonic() < deadline, f"never {what!r}: {self.text}"
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut would: the command and what it started, at once."""
        if self.process.poll() is None:
            self._desk.killed = True
        for pid in [*descendants(self.process.pid), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)

    def end(self, timeout: float = LONG) -> Result:
        code = self.process.wait(timeout)
        return _result(code, self._out.read_text(), self.text, time.monotonic() - self._began)


@dataclass
class Desk:
    """`home` is the sandbox's TIDEGATE_HOME; `scratch` a folder for variants and output."""

    home: Path
    scratch: Path
    killed: bool = False
    # Whether releases leave a guard behind; `off`, or empty as for people.
    guard: str = "off"
    _verified: dict[str, Result] = field(default_factory=dict)
    _misbehaved: list[tuple[str, str | None]] = field(default_factory=list)
    _codes: set[tuple[str, float]] = field(default_factory=set)
    _crowded: bool = False
    _forks: Forks | None = None
    _count: int = 0

    def environment(self, home: Path, actor: str = "ada") -> dict[str, str]:
        own = {"TIDEGATE_HOME": str(home), "TIDEGATE_ACTOR": actor, "TIDEGATE_GUARD": self.guard, "COLUMNS": "200"}
        return {**os.environ, **own}

    def begin(self, argv: tuple[str, ...], env: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes] | Forked:
        """A process of the command line; forked, as long as the sandbox is up and nothing else is asked for."""
        argv = (*argv, "--json") if argv[0] in PIPELINES else argv
        if self._forks is not None:
            return self._forks.start(argv, env, folder)
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            command = [sys.executable, "-m", "deployments.cli", *argv]
            return subprocess.Popen(command, stdout=out, stderr=err, cwd=load.CHECKOUT, env=env, start_new_session=True)

    def up(self, speed: str) -> Result:
        """Start the sandbox, or go on with the one that is up. From here on commands are forked."""
        result = self.tidegate("sandbox", "up", "--speed", speed, "--users", USERS, timeout=1200)
        if result.code == 0:
            # Three sandboxes share two cores: how slow a good version is, is the machine's.
            self.change(self.home, production={"replicas": PODS}, staging={"variables": {"LOAD_P95_S": "5"}})
            self._forks = Forks(self.environment(self.home))
        return result

    def down(self, *, purge: bool) -> None:
        """Forget the forks; end the sandbox and remove its data, if asked to."""
        if self._forks is not None:
            self._forks.end()
            self._forks = None
        if purge:
            self.tidegate("sandbox", "down", "--purge")

    def start(
        self, *argv: str, home: Path | None = None, actor: str = "ada", more: Mapping[str, str] | None = None
    ) -> Running:
        """Begin a command, with `more` variables; use it with `with`, so that it never outlives the test."""
        return Running(self, argv, home or self.home, self.folder(), actor, more)

    def tidegate(self, *argv: str, home: Path | None = None, actor: str = "ada", timeout: float = LONG) -> Result:
        """Run a command to its end."""
        with self.start(*argv, home=home, actor=actor) as running:
            return running.end(timeout)

    def stage(self, ref: str) -> Result:
        """Stage a version, once in this sandbox; it must be good in staging."""
        if ref not in self._verified:
            result = self.tidegate("stage", ref)
            assert result.word in ("released", "unchanged"), result.text
            self._verified[ref] = result
        return self._verified[ref]

    def released(self, tag: str) -> Result:
        """Stage a good version where that was not done yet, and release it everywhere, be it the first one ever."""
        self.stage(tag)
        result = self.tidegate(*release(tag))
        assert result.word in ("released", "unchanged"), result.text
        return result

    def settle(self) -> None:
        """Take away the locks that killed commands left."""
        if self.killed:
            for environment in ("staging", "production"):
                self.tidegate("unlock", environment, "--reason", "killed by a test")
            self.killed = False

    def add_version(self, labels: Mapping[str, str] | None = None, branch: str = "main") -> tuple[str, str]:
        """A commit of the sample shop that behaves so, tagged with a version of its own: (version, SHA)."""
        newest = max(parse_tag(tag) for tag in git(self.bare, "tag").split())
        version = f"{newest.major}.{newest.minor + 1}.0"
        sha = history.add_version(self.bare, version, labels, branch)
        self.write_notes(f"v{version}", "- made for a test")
        return version, sha

    def write_notes(self, tag: str, body: str | None) -> None:
        """The body of the tag's GitHub release from now on; None: there is no such release."""
        settings = yaml.safe_load((self.home / "overlay" / "tidegate.yaml").read_text())
        token = Path(settings["github"]["token"]["file"]).read_text()
        base = f"{settings['github']['url']}/repos/{settings['application']['github']}/releases"
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=10, trust_env=False) as client:
            found = client.get(f"{base}/tags/{tag}")
            if found.is_success:
                client.delete(f"{base}/{found.json()['id']}").raise_for_status()
            if body is not None:
                client.post(base, json={"tag_name": tag, "body": body}).raise_for_status()

    def under_way(self) -> str:
        """The beginning of the id of the run that holds production's lock, as `tidegate status` has it."""
        found = self.tidegate("status", "--environment", "production", "--json")
        return str(found.outcome["locks"][0]["run"])[:8]

    def steer(self, what: What, reason: str = "", environment: str = "production") -> None:
        """`tidegate hold`, `resume`, `promote` or `abort` of the release that holds the lock, without its start-up."""
        asyncio.run(_order(environment, what, reason))

    @property
    def bare(self) -> Path:
        return self.home / "sandbox" / "git" / "shop.git"

    def fault(self, name: str, mode: str, region: str | None = None, seconds: float | None = None) -> None:
        """Let a part of the outside world fail, until the test ends or for so many seconds."""
        self._control("PUT", "/api/faults", {"name": name, "mode": mode, "region": region, "seconds": seconds})

    def behave(self, version: str, region: str | None = None, **fields: Any) -> None:
        """Let a version behave otherwise than its image says, until the test ends."""
        self._control("PUT", "/api/behaviour", {"version": version, "region": region, "fields": fields})
        self._misbehaved.append((version, region))

    def users(self, rate: float) -> None:
        """Requests a second in each region, times the speed, until the test ends."""
        self._control("PUT", "/api/traffic", {"rate": rate})
        self._crowded = True

    def people(self, *, approve: bool) -> None:
        """Whether the sandbox's people approve what waits at its gates, until the test ends; else they do."""
        self._control("PUT", "/api/people", {"approve": approve})

    def code(self, person: str) -> str:
        """A one-time code of a person's that was not given yet; waits for one where it must."""
        secret = (self.home / "sandbox" / "secrets" / f"totp-{person}").read_text()
        while True:
            now = time.time() // gates_code.PERIOD
            for step in (now, now + 1):
                if (person, step) not in self._codes:
                    self._codes.add((person, step))
                    return gates_code.code_at(secret, step * gates_code.PERIOD)
            time.sleep(0.5)

    def vote(self, run: str, person: str, *options: str, code: str | None = None, home: Path | None = None) -> Result:
        """Approve what waits, as a person with a code of his."""
        argv = ("approve", run, "--as", person, *options)
        given = {"TIDEGATE_CODE": code or self.code(person)}
        with self.start(*argv, home=home, actor=person, more=given) as one:
            return one.end()

    def calm(self) -> None:
        """End all faults, changed behaviours, crowds and requests at the gates; people approve again."""
        self._control("DELETE", "/api/faults")
        asyncio.run(_end_requests())
        self.people(approve=True)
        if self._crowded:
            self._control("PUT", "/api/traffic", {"rate": float(USERS)})
            self._crowded = False
        while self._misbehaved:
            version, region = self._misbehaved.pop()
            self._control("PUT", "/api/behaviour", {"version": version, "region": region, "fields": {}})

    def lift_quarantines(self) -> None:
        """Let every version that was taken back be released again."""
        asyncio.run(self._lift())

    async def _lift(self) -> None:
        settings = yaml.safe_load((self.home / "overlay" / "tidegate.yaml").read_text())
        registry, path = settings["registry"], settings["application"]["image"].partition("/")[2]
        password = Path(registry["password"]["file"]).read_text()
        async with Registry(registry["url"], path, username=registry["username"], password=password) as client:
            for tag in await client.tags(quarantine.PREFIX):
                entry = quarantine.from_record(await client.read_record(tag))
                if entry is not None and not entry.lifted:
                    lifted = quarantine.lift(entry, "the tests", "the test is over", "2026-11-23T00:00:00Z")
                    await client.write_record(tag, entry.artifact.digest, lifted.as_dict())

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        found = state.read(self.home)
        assert found is not None
        answer = httpx.request(method, found.control + path, json=body, timeout=10, trust_env=False)
        assert answer.is_success, answer.text

    def folder(self) -> Path:
        self._count += 1
        path = self.scratch / str(self._count)
        path.mkdir()
        return path

    def variant(self, **files: Mapping[str, Any] | str) -> Path:
        """Another TIDEGATE_HOME on the same sandbox whose overlay says something else: file -> keys, or its text."""
        home = self.folder()
        shutil.copytree(self.home / "overlay", home / "overlay")
        self.change(home, **files)
        return home

    def change(self, home: Path, **files: Mapping[str, Any] | str) -> None:
        """Let a home's overlay say something else."""
        for name, change in files.items():
            path = home / "overlay" / f"{name}.yaml"
            if isinstance(change, str):
                path.write_text(change)
                continue
            # Regions keep their order: the first one has the lock.
            path.write_text(yaml.safe_dump(_merged(yaml.safe_load(path.read_text()), change), sort_keys=False))


async def _order(environment: str, what: What, reason: str) -> None:
    settings, region = load.settings(), next(iter(load.environment(environment).regions.values()))
    async with Lock(settings.kubeconfig, region.context, region.namespace, settings.application.name) as lock:
        held = (await lock.read()).held
        assert held is not None, "no release is under way"
        await lock.order(held.holder.run, what, "ada", reason)


def release(tag: str, *options: str) -> tuple[str, ...]:
    """The command that releases a version whatever staging says of its way back, as the first one ever needs."""
    return ("release", tag, "--accept-no-way-back", *options)


async def _end_requests() -> None:
    """What a killed command asked for: else people would approve it later, for the next one that asks for the same."""
    async with await required_store() as store, store.begin() as connection:
        open_ = gate_requests.c.ended.is_(None)
        await connection.execute(update(gate_requests).where(open_).values(ended=time.time(), waiting=""))


def run_of(text: str) -> str:
    """The beginning of the id that the command line showed, of the run that it follows."""
    return text.partition("run ")[2][:8]


def only(*regions: str) -> tuple[str, ...]:
    """`--region` options."""
    return tuple(word for region in regions for word in ("--region", region))


def _result(code: int, out: str, err: str, seconds: float) -> Result:
    outcome = json.loads(out) if out.lstrip().startswith("{") else {}
    return Result(code, outcome, err if outcome else out + err, seconds)


def descendants(pid: int) -> list[int]:
    """The processes that a process began, and theirs, the deepest first."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [*descendants(child), child]
    return found


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`; None removes a key."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result
