"""`/v1/approvals`: revocations that wait for a second key, and its decision."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ledger import errors
from ledger.approvals import ApprovalState, RefuseProposal, Wanted, state_of
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers
from revocation import proposing
from revocation.answers import ProposalAnswer, StandingAnswer, proposal_for
from revocation.changing import answer_of
from revocation.parts import Revocation, own_tenant

TAGS = ["Approvals"]


@get("/v1/approvals", tags=TAGS, operation_id="listApprovals", opt=requires("approvals:read"))
async def list_approvals(
    request: Request[Any, Any, Any],
    revocation: NamedDependency[Revocation],
    paging: NamedDependency[Paging],
    status: Wanted = None,
) -> Response[Page[ApprovalState]]:
    """Proposed revocations that the caller's institution decides about, newest first. Awards that wait are listed by
    the issuance service."""
    await revocation.caught_up()
    before = int(paging.after[0]) if paging.after else 2**62
    found = await revocation.approvals.page(own_tenant(caller_of(request)), status, before, paging.limit + 1)
    return paging.answer([state_of(*one) for one in found], place=lambda state: [state.position])


@get("/v1/approvals/{approval_id:str}", tags=TAGS, operation_id="getApproval",
     opt=requires("approvals:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_approval(
    request: Request[Any, Any, Any], approval_id: FromPath[str], revocation: NamedDependency[Revocation]
) -> Response[ProposalAnswer]:
    """One proposed revocation, as it was proposed. Free text is sealed beside it and not shown."""
    approval, _ = await proposing.read(revocation, approval_id, own_tenant(caller_of(request)))
    return Response(proposal_for(approval))


@post("/v1/approvals/{approval_id:str}/approval", tags=TAGS, operation_id="approveRevocation", status_code=200,
      opt=requires("approvals:write", errors=(errors.NotFound, errors.Refused, errors.Conflict)))  # fmt: skip
async def approve_revocation(
    request: Request[Any, Any, Any],
    approval_id: FromPath[str],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[StandingAnswer]:
    """Approve a proposed revocation: it is made, by the rules that hold now, and answered with. Not by the key that
    proposed it, nor, where `Credledger-Decided-By` names people, by the same person."""
    own_tenant(caller_of(request))
    made, event, replayed = await proposing.approve(revocation, revocation.wish(request, wish), approval_id)
    answer = await answer_of(revocation, event.award_id, made)
    return Response(answer, headers=replay_headers(replayed=replayed))


@post("/v1/approvals/{approval_id:str}/refusal", tags=TAGS, operation_id="refuseRevocation", status_code=200,
      opt=requires("approvals:write", errors=(errors.NotFound, errors.Refused, errors.Conflict)))  # fmt: skip
async def refuse_revocation(
    request: Request[Any, Any, Any],
    approval_id: FromPath[str],
    data: JSONBody[RefuseProposal],
    revocation: NamedDependency[Revocation],
    wish: NamedDependency[WishKey],
) -> Response[ProposalAnswer]:
    """Refuse a proposed revocation, for good. It can be proposed anew."""
    own_tenant(caller_of(request))
    decided = revocation.wish(request, wish)
    approval, replayed = await proposing.refuse(revocation, decided, approval_id, data)
    return Response(proposal_for(approval), headers=replay_headers(replayed=replayed))


HANDLERS = [list_approvals, get_approval, approve_revocation, refuse_revocation]
