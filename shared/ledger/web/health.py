"""`/livez` (this process answers), `/readyz` (what it needs answers too) and `/metrics`. No side effects."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from ledger.errors import FieldError, NotReady, Unavailable
from ledger.web.metrics import MEDIA_TYPE, Metrics
from ledger.web.routes import public

CHECK_SECONDS = 2.0
NO_STORE = {"cache-control": "no-store"}

# Answers None when all is well, else one sentence about what is not.
Check = Callable[[], Awaitable[str | None]]


class Noted(str):
    """A sentence that is worth telling and no reason to be out of service."""

    __slots__ = ()


class Health(msgspec.Struct, frozen=True):
    """`status` is ok or ready; `checks` names what was asked."""

    status: str
    checks: dict[str, str] = {}


def health_routes(checks: Mapping[str, Check], metrics: Metrics) -> list[HTTPRouteHandler]:
    """The three routes of an application with these checks."""

    @get("/livez", operation_id="readLiveness", opt=public(limited=False, cross_origin=False), tags=["Operation"])
    async def livez() -> Response[Health]:
        """Whether the process answers."""
        return Response(Health("ok"), headers=NO_STORE)

    @get(
        "/readyz",
        operation_id="readReadiness",
        opt=public(limited=False, cross_origin=False, errors=[Unavailable]),
        tags=["Operation"],
    )
    async def readyz() -> Response[Health]:
        """Whether everything that the service needs answers; 503 names what does not."""
        found = await asyncio.gather(*(_ask(check) for check in checks.values()))
        told = dict(zip(checks, found, strict=True))
        bad = [FieldError(f"/checks/{n}", said) for n, said in told.items() if said and not isinstance(said, Noted)]
        if bad:
            raise NotReady("The service is not ready.", errors=bad, retry_after_seconds=1)
        return Response(Health("ready", {name: said or "ok" for name, said in told.items()}), headers=NO_STORE)

    @get("/metrics", opt=public(limited=False, cross_origin=False), include_in_schema=False)
    async def read_metrics() -> Response[Any]:
        return Response(metrics.text(), media_type=MEDIA_TYPE, headers=NO_STORE)

    return [livez, readyz, read_metrics]


async def _ask(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:
        return f"failed: {type(error).__name__}"
