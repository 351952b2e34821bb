"""Slack's buttons: the signature is checked before anything is read, the vote is kept, and the presser is answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import httpx
from fastapi import APIRouter, BackgroundTasks, Request
from starlette.responses import JSONResponse, Response

from clients.trust import authorities
from deployments.service.limits import TooLarge, body_of
from release.errors import Refused, TidegateError

PATH = "/slack/interactions"
_MOST_BYTES = 100_000
_ANSWER_WITHIN_S = 5.0
# Where Slack lets an answer be sent; the simulated one is on this machine.
_ANSWERED_AT = ("https://hooks.slack.com/", "http://127.0.0.1:")

# A vote by body, timestamp and signature: what to tell the presser. Raises Refused, with the field `signature` where
# it did not come from Slack.
Vote = Callable[[bytes, str, str], Awaitable[str]]

log = logging.getLogger("tidegate.service")


def router(vote: Vote) -> APIRouter:
    """`POST /slack/interactions`."""
    routes = APIRouter(tags=["slack"])
    names = ("X-Slack-Request-Timestamp", "X-Slack-Signature")
    parameters = [{"in": "header", "name": name, "required": True, "schema": {"type": "string"}} for name in names]
    form = {"type": "object", "properties": {"payload": {"type": "string"}}, "required": ["payload"]}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    problems = {
        200: "taken; the presser is told",
        401: "not signed by Slack in the last five minutes",
        408: "too slow",
        413: "too large",
    }

    @routes.post(
        PATH,
        summary="A pressed button: approve or reject",
        responses={code: {"description": text} for code, text in problems.items()},
        openapi_extra={"parameters": parameters, "requestBody": body},
    )
    async def interactions(request: Request, later: BackgroundTasks) -> Response:
        try:
            content = await body_of(request, _MOST_BYTES)
        except TooLarge:
            return JSONResponse({"error": "the body is too large."}, status_code=413)
        except TimeoutError:
            return JSONResponse({"error": "the body did not come in time."}, status_code=408)
        given = [request.headers.get(name, "") for name in names]
        try:
            text = await vote(content, *given)
        except TidegateError as error:
            if isinstance(error, Refused) and error.field == "signature":
                return JSONResponse({"error": "not signed by Slack in the last five minutes."}, status_code=401)
            text = str(error)
        later.add_task(_tell, content, text)
        return Response(status_code=200)

    return routes


async def _tell(content: bytes, text: str) -> None:
    """Only to the presser, where Slack says; the vote does not depend on it."""
    address = _answer_address(content)
    if address is None:
        return
    told = {"response_type": "ephemeral", "replace_original": False, "text": text}
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, verify=authorities()) as http:
            await http.post(address, json=told)
    except httpx.HTTPError as error:
        log.warning("who pressed a button in Slack was not told: %s", type(error).__name__)


def _answer_address(content: bytes) -> str | None:
    """The request is Slack's own, so its address is too; anything else is left alone all the same."""
    try:
        found = json.loads(parse_qs(content.decode())["payload"][0])["response_url"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) and found.startswith(_ANSWERED_AT) else None
