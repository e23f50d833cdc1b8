"""`/v1/awards/{award_id}/…`: suspend, reinstate, revoke, and read the standing of one's own awards."""

import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from ledger import errors
from ledger.web.authority import caller_of
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers
from revocation.answers import ProposalAnswer, StandingAnswer, StandingHistory
from revocation.changing import change_one, read_one
from revocation.parts import Revocation, own_tenant
from revocation.standings import Change, ChangeStanding

TAGS = ["Standings"]
PROPOSED = ResponseSpec(data_container=ProposalAnswer, description="Nothing yet: the proposal, for a second key.")
MAY = requires("standings:write", errors=(errors.NotFound, errors.Refused, errors.Conflict))


@post("/v1/awards/{award_id:str}/suspension", operation_id="suspendAward", status_code=200, opt=MAY, tags=TAGS)
async def suspend_award(
    request: Request[Any, Any, Any],
    award_id: FromPath[str],
    data: JSONBody[ChangeStanding],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[StandingAnswer]:
    """Let an award not count until it is reinstated. Suspending one that is suspended changes nothing."""
    return await _change(request, revocation, wish, award_id, ("suspend", data))


@post("/v1/awards/{award_id:str}/reinstatement", operation_id="reinstateAward", status_code=200, opt=MAY, tags=TAGS)
async def reinstate_award(
    request: Request[Any, Any, Any],
    award_id: FromPath[str],
    data: JSONBody[ChangeStanding],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[StandingAnswer]:
    """Let a suspended award count again. A revoked one cannot be reinstated: award anew."""
    return await _change(request, revocation, wish, award_id, ("reinstate", data))


@post("/v1/awards/{award_id:str}/revocation", operation_id="revokeAward", status_code=200, opt=MAY, tags=TAGS,
      responses={202: PROPOSED})  # fmt: skip
async def revoke_award(
    request: Request[Any, Any, Any],
    award_id: FromPath[str],
    data: JSONBody[ChangeStanding],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[StandingAnswer | ProposalAnswer]:
    """Withdraw an award for good: there is no way back. Whoever verifies it sees so within a second. Where the
    institution lets a second key approve its revocations, the answer is 202 with the proposal, and nothing changes
    until then."""
    return await _change(request, revocation, wish, award_id, ("revoke", data))


@get("/v1/awards/{award_id:str}/standing", operation_id="getStanding", tags=TAGS,
     opt=requires("standings:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_standing(
    request: Request[Any, Any, Any], award_id: FromPath[str], revocation: NamedDependency[Revocation]
) -> Response[StandingHistory]:
    """How one of the caller's own awards stands, and every change that led to it."""
    tenant = own_tenant(caller_of(request))
    return Response(await read_one(revocation, _checked(award_id), tenant))


async def _change(
    request: Request[Any, Any, Any],
    revocation: Revocation,
    key: WishKey,
    award_id: str,
    wanted: tuple[Change, ChangeStanding],
) -> Response[Any]:
    own_tenant(caller_of(request))
    answer, replayed = await change_one(revocation, revocation.wish(request, key), _checked(award_id), *wanted)
    headers = replay_headers(replayed=replayed)
    if isinstance(answer, ProposalAnswer):
        headers["location"] = f"/v1/approvals/{answer.approval.id}"
        return Response(answer, status_code=202, headers=headers)
    return Response(answer, headers=headers)


def _checked(award_id: str) -> str:
    if not re.fullmatch(r"awd_[a-z2-7]{26}", award_id):
        raise errors.NotFound("There is no such award.")
    return award_id


HANDLERS = [suspend_award, reinstate_award, revoke_award, get_standing]
