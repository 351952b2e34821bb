"""The service's HTTP application: its routes, what limits them, and how its errors are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse

from deployments.service.limits import Buckets, RateLimit
from release.errors import TidegateError, Unavailable

_PROBED_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """What readiness asks. `counts` is how many deliveries wait and were refused; it raises Unavailable without a
    database. `prefect` is whether the Prefect server answers."""

    counts: Callable[[], Awaitable[Mapping[str, int]]]
    prefect: Callable[[], Awaitable[bool]]


def application(routers: Iterable[APIRouter], health: Health, buckets: Buckets) -> FastAPI:
    """The application. Its description is at /openapi.json."""
    app = FastAPI(title="Tidegate", description="Release pipelines, started by events.", docs_url=None, redoc_url=None)
    app.add_middleware(RateLimit, buckets=buckets)
    app.add_exception_handler(TidegateError, _told)
    app.include_router(_health(health))
    for router in routers:
        app.include_router(router)
    return app


def _health(health: Health) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz", summary="Whether deliveries can be kept", responses={503: {"description": "They cannot."}})
    async def readyz() -> JSONResponse:
        """Ready while the database answers: what is delivered while Prefect is away is kept, and starts later."""
        try:
            async with asyncio.timeout(_PROBED_WITHIN_S):
                counts = await health.counts()
        except (Unavailable, TimeoutError):
            return JSONResponse({"ready": False, "database": False}, status_code=503)
        return JSONResponse({"ready": True, "database": True, "prefect": await health.prefect(), **counts})

    return routes


async def _told(_request: Request, error: Exception) -> JSONResponse:
    """Our own errors name no secrets; outside it is told what kind it was, and no more."""
    if isinstance(error, Unavailable):
        return JSONResponse({"error": "something this needs is away; try again."}, 503, {"Retry-After": "5"})
    return JSONResponse({"error": "the request was refused."}, status_code=400)
