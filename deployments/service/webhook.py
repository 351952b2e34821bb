"""GitHub's webhook: verified, decided, kept, acknowledged; the forwarder does the rest."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from clients.deliveries import Deliveries, Delivery
from deployments.service import signature
from deployments.service.limits import TooLarge, body_of
from release.errors import Unavailable
from release.triggers import Ignored, Source, Start, decide

PATH = "/webhooks/github"
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_HEADERS = ("X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256")


class Answer(BaseModel):
    """`kept`: it starts a run. `known`: it came before. `ignored`: it starts nothing, and `detail` says why."""

    status: Literal["kept", "known", "ignored"]
    detail: str


class Problem(BaseModel):
    """What is wrong with the request."""

    error: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where deliveries go. `secret` is the webhook's; `woken` is called after one was kept, `lost` where one could
    not be."""

    secret: bytes
    source: Source
    deliveries: Deliveries
    most_bytes: int
    woken: Callable[[], None]
    lost: Callable[[], None] = lambda: None


def router(inbox: Inbox) -> APIRouter:
    """`POST /webhooks/github`."""
    routes = APIRouter(tags=["webhooks"])
    parameters = [{"in": "header", "name": name, "required": True, "schema": {"type": "string"}} for name in _HEADERS]
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    problems = {
        400: "not JSON, headers missing, or cut short",
        401: "not signed with the secret",
        408: "too slow",
        413: "too large",
    }

    @routes.post(
        PATH,
        summary="GitHub's push, pull_request and release events",
        responses={
            200: {"model": Answer, "description": "nothing to start"},
            202: {"model": Answer, "description": "kept"},
            503: {
                "model": Problem,
                "description": "the database is away: the service asks GitHub for it later, where its token may",
            },
            **{code: {"model": Problem, "description": text} for code, text in problems.items()},
        },
        openapi_extra={"parameters": parameters, "requestBody": body},
    )
    async def github(request: Request) -> JSONResponse:
        try:
            content = await body_of(request, inbox.most_bytes)
        except TooLarge:
            return _problem(413, f"the body is larger than {inbox.most_bytes} bytes.")
        except TimeoutError:
            return _problem(408, "the body did not come in time.")
        if not signature.of_github(inbox.secret, content, request.headers.get(_HEADERS[2], "")):
            return _problem(401, "X-Hub-Signature-256 is not this body's with the webhook's secret.")
        return await _accept(inbox, request.headers.get(_HEADERS[0], ""), request.headers.get(_HEADERS[1], ""), content)

    return routes


async def _accept(inbox: Inbox, name: str, delivery: str, content: bytes) -> JSONResponse:
    """A request that GitHub signed."""
    if not name or _ID.fullmatch(delivery) is None:
        return _problem(400, "X-GitHub-Event or X-GitHub-Delivery is missing.")
    event = _object(content)
    if event is None:
        return _problem(400, "the body is no JSON object; choose the content type application/json at GitHub.")
    found = decide(name, event, inbox.source)
    if isinstance(found, Ignored):
        return _answer(200, "ignored", found.reason)
    kept = Delivery(
        id=delivery,
        digest=hashlib.sha256(content).hexdigest(),
        event=name,
        pipeline=found.pipeline,
        parameters=found.parameters,
        line=found.line,
    )
    try:
        if not await inbox.deliveries.keep(kept, time.time()):
            return _answer(200, "known", "it was delivered before.")
    except Unavailable:
        inbox.lost()
        raise
    inbox.woken()
    return _answer(202, "kept", _told(found))


def _told(start: Start) -> str:
    what = next(str(start.parameters[key]) for key in ("tag", "branch", "ref") if start.parameters.get(key))
    return f"{start.pipeline} of {what} will start."


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _answer(code: int, status: Literal["kept", "known", "ignored"], detail: str) -> JSONResponse:
    return JSONResponse(Answer(status=status, detail=detail).model_dump(), status_code=code)


def _problem(code: int, text: str) -> JSONResponse:
    return JSONResponse(Problem(error=text).model_dump(), status_code=code)
