"""`/v1/standings/…`: the same change of many awards, seen before it is made."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from ledger import errors
from ledger.web.authority import caller_of
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers
from revocation import many
from revocation.bulk import TOKEN_LIMIT, MakeChanges, PreviewChanges
from revocation.many import ChangesAnswer, PreviewAnswer
from revocation.parts import Revocation, own_tenant

TAGS = ["Standings"]
REFUSALS = (errors.Refused, errors.Conflict, errors.Stale)
MAY_CHANGE = requires("standings:write", text_limit=TOKEN_LIMIT, errors=REFUSALS)


@post("/v1/standings/previews", operation_id="previewStandings", status_code=200, tags=TAGS,
      opt=requires("standings:write", changes=False))  # fmt: skip
async def preview_standings(
    request: Request[Any, Any, Any], data: JSONBody[PreviewChanges], revocation: NamedDependency[Revocation]
) -> Response[PreviewAnswer]:
    """What a change of up to a thousand awards would do, award by award. Nothing is recorded."""
    return Response(await many.preview(revocation, data, own_tenant(caller_of(request))))


@post("/v1/standings/changes", operation_id="changeStandings", status_code=200, tags=TAGS, opt=MAY_CHANGE)
async def change_standings(
    request: Request[Any, Any, Any],
    data: JSONBody[MakeChanges],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[ChangesAnswer]:
    """Do exactly what a preview said. Where a standing changed since, nothing is done and the answer is 412.

    Sent again with the same Idempotency-Key, it completes what was stopped and gives the same answer.
    """
    own_tenant(caller_of(request))
    answer, replayed = await many.carry_out(revocation, revocation.wish(request, wish), data)
    return Response(answer, headers=replay_headers(replayed=replayed))


HANDLERS = [preview_standings, change_standings]
