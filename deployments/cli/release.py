"""`tidegate develop`, `tidegate stage` and `tidegate release`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner, who

Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
Here = Annotated[bool, typer.Option("--here", help="Run it in this process, although a worker is there.")]
BreakGlass = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="Pass without approvals, timer and freeze windows: one person who may operate proves it. It is announced.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for a release that is under way instead of refusing.")]


def develop(
    ref: Annotated[str, typer.Argument(help="feature/**, bugfix/** or develop.")] = "develop",
    pull: Annotated[int | None, typer.Option(help="The number of a pull request to develop, instead of REF.")] = None,
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Check a branch and build its image; deploy it to development where it is develop.

    Example: `tidegate develop feature/wishlist`, or `tidegate develop --pull 12`.
    """
    call = {"ref": ref, "pull": pull, "wait_for_lock": wait}
    runner.run("development", call, who.caller(), here=here, as_json=as_json)


def stage(
    ref: Annotated[str, typer.Argument(help="A branch, tag or commit of the application.")] = "main",
    version: Annotated[str | None, typer.Option(help="X.Y.Z; computed from the commits when left out.")] = None,
    break_glass: BreakGlass = None,
    person: who.As = None,
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Test a commit, build its image once, deploy it to staging and verify it.

    Example: `tidegate stage v1.4.0`, or `tidegate stage main --version 1.4.1`.
    """
    call = {"ref": ref, "version": version, "wait_for_lock": wait, "break_glass": break_glass}
    runner.run("staging", call, who.asking(person), here=here, as_json=as_json)


def release(
    tag: Annotated[str, typer.Argument(help="The release tag, vX.Y.Z, that staging verified.")],
    strategy: Annotated[
        str | None,
        typer.Option(help="rolling, blue-green or canary; by default what the GitHub release says, else rolling."),
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this region; may be given again.")] = None,
    accept_no_way_back: Annotated[
        bool, typer.Option("--accept-no-way-back", help="Release although a bad version could not be taken back.")
    ] = False,
    break_glass: BreakGlass = None,
    person: who.As = None,
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Release a verified version to production, region by region.

    Example: `tidegate release v1.4.0 --strategy canary`; the first version ever needs `--accept-no-way-back`.
    """
    call = {"tag": tag, "strategy": strategy, "regions": region, "wait_for_lock": wait}
    call |= {"accept_no_way_back": accept_no_way_back, "break_glass": break_glass}
    runner.run("production", call, who.asking(person), here=here, as_json=as_json)
