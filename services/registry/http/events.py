"""`/v1/events`: the history as NDJSON, one event a line, for whoever may read it.

Operator and auditor read everything that is not sealed; an institution reads its own events and learns of no other's.
With `envelope`, `nonce` and `document_commitment` a reader recomputes the leaf (`ledger.codec`).
"""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from ledger.access import Caller
from ledger.codec import Recorded
from ledger.errors import NotFound
from ledger.history import EventLine, line_of
from ledger.web import requires
from registry.http.answers import AnyRequest, described, json_answer
from registry.parts import Registry

NDJSON = "application/x-ndjson"
LIMIT_DEFAULT = 1000
LIMIT_MOST = 100_000
BATCH = 1000
SCOPE = "audit:read"


@get("/v1/events", operation_id="readEvents", opt=requires(SCOPE), tags=["History"],
     responses=described(EventLine, "One event a line, in position order.", NDJSON))  # fmt: skip
async def read_events(
    registry: NamedDependency[Registry],
    caller: NamedDependency[Caller],
    after: Annotated[int, QueryParameter(ge=0, le=2**62, description="Events behind this position.")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MOST, description="How many at most.")] = LIMIT_DEFAULT,
) -> Stream:
    """The history behind a position. Go on with `after` = the last line's position; fewer lines than `limit` mean that
    the end was reached."""
    lines = _all(registry, after, limit) if caller.tenant is None else _own(registry, caller.tenant, after, limit)
    return Stream(lines, media_type=NDJSON)


@get("/v1/events/{position:int}", operation_id="readEvent", opt=requires(SCOPE, errors=[NotFound]), tags=["History"],
     responses=described(EventLine, "The event."))  # fmt: skip
async def read_event(
    request: AnyRequest, position: FromPath[int], registry: NamedDependency[Registry], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """The event at a position. What an institution may not see is not there."""
    wanted = min(max(position, 0), 2**62)
    recorded = await registry.store.at(wanted)
    if caller.tenant not in (None, recorded.tenant):
        raise NotFound(f"The log has no position {wanted}.")
    return json_answer(request, line_of(recorded), headers={"cache-control": "private, no-cache"})


async def _all(registry: Registry, after: int, limit: int) -> AsyncIterator[bytes]:
    while limit > 0:
        batch = await registry.store.read(after, min(limit, BATCH))
        if not batch:
            return
        after, limit = batch[-1].position, limit - len(batch)
        yield _lines(batch)


async def _own(registry: Registry, tenant: str, after: int, limit: int) -> AsyncIterator[bytes]:
    await registry.caught_up()
    while limit > 0:
        rows = await registry.store.pool.fetch(OWN, tenant, after, min(limit, BATCH))
        if not rows:
            return
        batch = [await registry.store.at(row["position"]) for row in rows]
        after, limit = batch[-1].position, limit - len(batch)
        yield _lines([recorded for recorded in batch if recorded.tenant == tenant])


def _lines(batch: list[Recorded]) -> bytes:
    return b"".join(msgspec.json.encode(line_of(recorded)) + b"\n" for recorded in batch)


OWN = """
SELECT position FROM registry.tenant_events WHERE institution_id = $1 AND position > $2 ORDER BY position LIMIT $3
"""
HANDLERS = [read_events, read_event]
