"""`tidegate sandbox fault | traffic | behave`: change the running sandbox through its control API."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import typer

from config import load
from release import gates_code
from release.errors import Refused, Unavailable
from sandbox import state

Region = Annotated[str | None, typer.Option(help="Only in this region (default: in all).")]


def fault(
    name: Annotated[str, typer.Argument(help="What fails: see `status`, or `clear` to end all faults.")],
    mode: Annotated[str | None, typer.Argument(help="down, refused, slow, cut, 500, 503, 429 or lying.")] = None,
    region: Region = None,
    seconds: Annotated[float | None, typer.Option("--for", help="Ends by itself after so many seconds.")] = None,
    delay: Annotated[float | None, typer.Option(help="slow, cut: after so many seconds (default: 0.5).")] = None,
    retry_after: Annotated[float | None, typer.Option(help="429: Retry-After in seconds (default: 1).")] = None,
) -> None:
    """Make a part of the outside world fail, or end all faults with `clear`."""
    if name == "clear":
        _call("DELETE", "/api/faults")
        typer.echo("All faults are cleared.")
        return
    if mode is None:
        raise Refused("a mode is needed.", field="MODE", next_step="Give one: tidegate sandbox fault github 500")
    if delay is not None and mode not in ("slow", "cut"):
        raise Refused(f"there is nothing to delay in {mode}.", field="--delay", next_step="Give it to slow or cut.")
    if retry_after is not None and mode != "429":
        raise Refused(f"{mode} has no Retry-After.", field="--retry-after", next_step="Give it to 429.")
    body = {"name": name, "mode": mode, "region": region, "seconds": seconds}
    _call("PUT", "/api/faults", {**body, "delay": delay, "retry_after": retry_after})
    where = f" in {region}" if region else ""
    until = f" for {seconds:g} s" if seconds else " until `tidegate sandbox fault clear`"
    typer.echo(f"{name}{where}: {mode}{until}.")


def traffic(
    rate: Annotated[float | None, typer.Option(help="Requests a second in each region, at speed 1.")] = None,
    split: Annotated[Literal["smooth", "random"] | None, typer.Option(help="How requests are split.")] = None,
    lag: Annotated[float | None, typer.Option(help="Seconds until the gateway takes a change.")] = None,
    region: Region = None,
) -> None:
    """Change the simulated users and the gateway that splits them."""
    given = {"rate": rate, "split": split, "lag": lag}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise Refused("nothing to change was given.", field="traffic", next_step="Give --rate, --split or --lag.")
    _call("PUT", "/api/traffic", {**body, "region": region})
    typer.echo("Changed: " + ", ".join(f"{key} {value}" for key, value in body.items()) + ".")


def behave(
    version: Annotated[str, typer.Argument(help="A version, or `*` for all.")],
    error_rate: Annotated[float | None, typer.Option(help="Share of requests answered with 500, 0 to 1.")] = None,
    latency: Annotated[float | None, typer.Option(help="Seconds an answer takes.")] = None,
    crashes: Annotated[bool | None, typer.Option(help="Pods started from now on crash.")] = None,
    never_ready: Annotated[bool | None, typer.Option(help="Pods started from now on never get ready.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Behave as the image's labels say again.")] = False,
    region: Region = None,
) -> None:
    """Change how a version behaves while it runs."""
    given = {"error_rate": error_rate, "latency": latency, "crashes": crashes, "never_ready": never_ready}
    fields = {key: value for key, value in given.items() if value is not None}
    if not fields and not reset:
        raise Refused("no behaviour was given.", field="behave", next_step="Give --error-rate 0.2, or --reset.")
    _call("PUT", "/api/behaviour", {"version": version, "region": region, "fields": {} if reset else fields})
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in fields.items())
    typer.echo(f"{version} in {region or 'all regions'}: {told or 'as its labels say'}.")


def people(
    do: Annotated[
        Literal["approve", "wait"], typer.Argument(help="approve what waits at its gates, or leave it to you.")
    ],
) -> None:
    """Let the sandbox's people approve what waits at its gates by themselves (as it begins), or leave that to you."""
    _call("PUT", "/api/people", {"approve": do == "approve"})
    typer.echo(
        "They approve what waits." if do == "approve" else "Nobody approves but you: see `tidegate sandbox code`."
    )


def code(
    person: Annotated[str, typer.Argument(help="One of the people: ada, bob, eve, ...")],
) -> None:
    """Show somebody's one-time code of this moment, as his device would."""
    settings = load.settings()
    known = settings.people.get(person)
    if settings.target != "sandbox" or known is None or known.totp is None or known.totp.file is None:
        raise Refused(
            f"the sandbox has no {person!r}.", field="person", next_step=f"One of {', '.join(settings.people)}."
        )
    typer.echo(gates_code.code_at(known.totp.file.read_text(), time.time(), known.totp_period_s))


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(epilog="Example: `tidegate sandbox fault kubernetes down --region eu-west-1 --for 15`")(fault)
    app.command(epilog="Example: `tidegate sandbox traffic --rate 50`")(traffic)
    app.command(epilog="Example: `tidegate sandbox people wait`")(people)
    app.command(epilog="Example: `TIDEGATE_CODE=$(tidegate sandbox code bob) tidegate approve 3f2a --as bob`")(code)
    app.command(epilog="Example: `tidegate sandbox behave 1.5.0 --error-rate 0.2 --region us-east-1`")(behave)


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> None:
    import httpx

    home = load.home()
    found = state.read(home)
    if state.holder(home) is None or found is None or not found.control:
        raise Refused("the sandbox is not up.", next_step="Start it with: tidegate sandbox up")
    try:
        answer = httpx.request(method, found.control.rstrip("/") + path, json=body, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(
            "the sandbox's control API does not answer.", next_step="See: tidegate sandbox status"
        ) from error
    if answer.status_code >= 400:
        told = answer.json()
        raise Refused(told["error"], field=told.get("field"), next_step=told.get("next_step"))
