"""The sample application's own git repository, made from the template: the same commits every time.

main carries the releases, so that production accepts each of them. What is bad about a version is in its commit:
the Dockerfile's labels, which the simulated node reads from the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.shop.fastimport import Commit, Tag, date_of, git, load, stream
from sandbox.world import LABEL

TEMPLATE = Path(__file__).with_name("template")
_START = 1_767_603_600  # 2026-01-05T09:00:00Z
_HOUR = 3600
_MARKER = "# behaviour in the sandbox\n"


@dataclass(frozen=True)
class Step:
    """One commit on `branch` (started at `base` when new). `labels` is the behaviour from this commit on."""

    branch: str
    message: str
    labels: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    base: str | None = None


STEPS = (
    Step("main", "feat: open the shop"),
    Step("main", "fix: price a tray of several mugs", tag="v1.3.0"),
    Step("main", "feat(orders): order several of one product"),
    Step("main", "fix(orders): refuse what is sold out", tag="v1.4.0"),
    Step("main", "feat(prices): read a price list for each region", {"crash": "ap-southeast-1"}, "v1.5.0"),
    Step("main", "fix(prices): start without a price list", tag="v1.6.0"),
    # Only with production's many orders, as it is with errors that staging's load test does not find.
    Step(
        "main",
        "feat(page): recommend a product",
        {"error-rate": "us-east-1=0.06,eu-west-1=0.06,ap-southeast-1=0.06"},
        "v1.7.0",
    ),
    Step("main", "perf(page): fill the cache before serving", {"never-ready": "everywhere"}, "v1.8.0"),
    Step("chores", "chore: sort the catalogue's file", {"never-ready": "everywhere"}, base="v1.8.0"),
    Step("chores", "docs: say how to run the shop", {"never-ready": "everywhere"}),
    Step("main", "fix(page): be ready once the cache is filled"),
    Step("main", "feat(page): show what is in stock\n\nSold-out products stay on the page."),
    Step("develop", "feat(cart): keep a cart between visits", base="main"),
    Step("feature/wishlist", "feat(wishlist): remember products", base="develop"),
    Step("feature/wishlist", "test(wishlist): forget products again"),
    Step("bugfix/rounding", "fix(prices): round up at half a cent", base="develop"),
    Step("hotfix/stock", "fix(orders): never sell more than there is", base="v1.6.0"),
)


def build(folder: Path) -> Path:
    """Make the bare repository `folder`, which must not exist yet, and return it. Takes well under a second."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    git(folder.parent, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", folder.name)
    git(folder, "config", "http.receivepack", "true")
    items: list[Commit | Tag] = []
    written: dict[str, str] = {}
    for number, step in enumerate(STEPS):
        at = _START + number * _HOUR
        before = written.get(step.branch, written.get(step.base or "", ""))
        log = f"- {step.message.splitlines()[0]}\n{before}"
        written[step.branch] = log
        files = _template() if number == 0 else {}
        files |= {"Dockerfile": dockerfile(step.labels), _log_of(step.branch): log}
        items.append(Commit(step.branch, step.message, files, at, step.base))
        if step.tag:
            written[step.tag] = log
            items.append(Tag(step.tag, step.branch, at))
    load(folder, stream(items))
    return folder


def release_notes() -> dict[str, str]:
    """What a person would write into the GitHub release of each tag: tag -> body."""
    found: dict[str, str] = {}
    lines: list[str] = []
    for step in STEPS:
        if step.branch == "main":
            lines.append(f"- {step.message.splitlines()[0]}")
            if step.tag:
                found[step.tag] = "\n".join(["What changed:", "", *lines])
                lines = []
    return found


def _log_of(branch: str) -> str:
    """Where a branch tells its changes: a hotfix in a file of its own, so that it can be merged by itself."""
    family, _, name = branch.partition("/")
    return f"changes/{name}.md" if family == "hotfix" else "CHANGELOG.md"


def add_version(
    bare: Path,
    version: str,
    labels: Mapping[str, str] | None = None,
    branch: str = "main",
    tag: bool = True,
    message: str | None = None,
) -> str:
    """A commit on `branch` that behaves as `labels` say, tagged `v<version>`; the commit's SHA is returned.

    Labels are those of `sandbox.world.Behaviour` (`{"error-rate": "0.06"}`), or any other with a dot in its name.
    """
    at = date_of(bare, f"refs/heads/{branch}") + _HOUR
    files = {"Dockerfile": dockerfile(labels or {}), "VERSION": f"{version}\n"}
    return _append(bare, branch, message or f"feat: make version {version}", files, at, f"v{version}" if tag else None)


def add_commit(
    bare: Path, branch: str, message: str, files: Mapping[str, str] | None = None, base: str | None = None
) -> str:
    """A commit on `branch`, which starts at `base` (a branch or tag) when it is new; the SHA is returned."""
    tip = f"refs/heads/{branch}" if base is None else base
    return _append(bare, branch, message, dict(files or {}), date_of(bare, tip) + _HOUR, None, base)


def dockerfile(labels: Mapping[str, str]) -> str:
    """The template's Dockerfile with these labels."""
    text = (TEMPLATE / "Dockerfile").read_text()
    head, marker, tail = text.partition(_MARKER)
    lines = "".join(f'LABEL {key if "." in key else LABEL + key}="{labels[key]}"\n' for key in sorted(labels))
    return head + marker + lines + tail


def _append(
    bare: Path, branch: str, message: str, files: Mapping[str, str], at: int, tag: str | None, base: str | None = None
) -> str:
    items: list[Commit | Tag] = [Commit(branch, message, files, at, base or branch)]
    load(bare, stream([*items, Tag(tag, branch, at)] if tag else items))
    return git(bare, "rev-parse", f"refs/heads/{branch}").strip()


def _template() -> dict[str, str]:
    return {
        path.relative_to(TEMPLATE).as_posix(): path.read_text()
        for path in sorted(TEMPLATE.rglob("*"))
        if path.is_file() and not {"__pycache__", ".ruff_cache", ".mypy_cache"} & set(path.parts)
    }
