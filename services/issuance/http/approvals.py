"""`/v1/approvals`: awards that wait for a second key, and its decision."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import approving, awarding
from issuance.awarding import AwardAnswer
from issuance.awards import AlreadyAwarded
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.approvals import Approval, ApprovalState, RefuseProposal, Wanted, state_of
from ledger.codec import Recorded
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

TAGS = ["Approvals"]


class ProposalAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an award that takes a second key: nobody was awarded yet."""

    approval: ApprovalState
    achievement_id: str
    learner_id: str | None
    note: str = "Nothing is awarded yet: another key, with the scope approvals:write, has to approve this."


class AwardApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal for whoever decides about it: the wish as it was sent. The learner's data stands in it."""

    approval: ApprovalState
    award: dict[str, Any]


def proposal_for(recorded: Recorded, award_id: str | None = None) -> ProposalAnswer:
    """The answer that follows from a proposal's event."""
    approval = Approval(recorded.stream.partition("/")[2], recorded)
    return ProposalAnswer(
        approval=state_of(approval, award_id),
        achievement_id=recorded.event.achievement_id,  # type: ignore[attr-defined]
        learner_id=recorded.subject,
    )


@get("/v1/approvals", tags=TAGS, operation_id="listApprovals", opt=requires("approvals:read"))
async def list_approvals(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    status: Wanted = None,
) -> Response[Page[ApprovalState]]:
    """Proposed awards of the caller's institution, newest first, without anything personal. Revocations that wait are
    listed by the revocation service."""
    await issuance.caught_up()
    before = int(paging.after[0]) if paging.after else 2**62
    found = await issuance.approvals.page(own_tenant(caller_of(request)), status, before, paging.limit + 1)
    return paging.answer([state_of(*one) for one in found], place=lambda state: [state.position])


@get("/v1/approvals/{approval_id:str}", tags=TAGS, operation_id="getApproval",
     opt=requires("approvals:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_approval(
    request: Request[Any, Any, Any], approval_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[AwardApproval]:
    """One proposed award, as it was proposed, for whoever decides about it."""
    approval, wish = await approving.read(issuance, approval_id, own_tenant(caller_of(request)))
    await issuance.caught_up()
    return Response(AwardApproval(approval=state_of(approval, await issuance.approvals.made(approval_id)), award=wish))


@post("/v1/approvals/{approval_id:str}/approval", tags=TAGS, operation_id="approveAward", status_code=201,
      opt=requires("approvals:write",
          errors=(errors.NotFound, errors.Refused, errors.Conflict, AlreadyAwarded, Erased)))  # fmt: skip
async def approve_award(
    request: Request[Any, Any, Any],
    approval_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[AwardAnswer]:
    """Approve a proposed award: it is made, by the rules that hold now, and answered with. Not by the key that proposed
    it, nor, where `Credledger-Decided-By` names people, by the same person."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    made, replayed = await approving.approve(issuance, decided, approval_id)
    answer = await awarding.answer_for(issuance, made.recorded, made.personal)
    headers = {**replay_headers(replayed=replayed), "location": f"/v1/awards/{answer.id}"}
    return Response(answer, status_code=201, headers=headers)


@post("/v1/approvals/{approval_id:str}/refusal", tags=TAGS, operation_id="refuseAward", status_code=200,
      opt=requires("approvals:write", errors=(errors.NotFound, errors.Refused, errors.Conflict)))  # fmt: skip
async def refuse_award(
    request: Request[Any, Any, Any],
    approval_id: FromPath[str],
    data: JSONBody[RefuseProposal],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ApprovalState]:
    """Refuse a proposed award, for good. It can be proposed anew."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    approval, replayed = await approving.refuse(issuance, decided, approval_id, data)
    return Response(state_of(approval, None), headers=replay_headers(replayed=replayed))


HANDLERS = [list_approvals, get_approval, approve_award, refuse_award]
