"""`/v1/awards`: award a learner, correct a credential, read what was awarded."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from issuance import awarding, correcting
from issuance.awarding import EXTERNAL_ID, AwardAnswer
from issuance.awards import AlreadyAwarded, AwardLearner
from issuance.corrections import CorrectAward, document_of
from issuance.http.approvals import ProposalAnswer, proposal_for
from issuance.http.wanted_awards import WantedAwards, wanted_awards
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.codec import format_time
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class AwardItem(msgspec.Struct, frozen=True, kw_only=True):
    """An award in a list: what is needed to find it again, and how it stands."""

    id: str
    position: int
    learner_id: str
    achievement_id: str
    standing: str
    awarded_date: str
    recorded_at: str


PROPOSED = ResponseSpec(data_container=ProposalAnswer, description="Nothing yet: the proposal, for a second key.")
RETURNED = ResponseSpec(data_container=AwardAnswer, description="The award that was there already (`return`).")


@post("/v1/awards", tags=["Awards"],
     operation_id="awardLearner", status_code=201, responses={200: RETURNED, 202: PROPOSED},
      opt=requires("awards:write",
          errors=(errors.NotFound, errors.Refused, errors.Conflict, AlreadyAwarded, Erased)))  # fmt: skip
async def award_learner(
    request: Request[Any, Any, Any],
    data: JSONBody[AwardLearner],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[AwardAnswer | ProposalAnswer]:
    """Award an achievement to a learner. The signed credential is in the answer and at `credential_url`, for ever.

    Revoking is final; suspending is not. The same Idempotency-Key with the same body gives the same answer. A learner
    who holds the achievement already is not awarded again unless `on_duplicate` says so. Where the institution lets a
    second key approve its awards, the answer is 202 with the proposal, and nothing is awarded until then.
    """
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    with issuance.traffic.single():
        made = await awarding.decide(issuance, decided, data)
        answer = (
            proposal_for(made.recorded)
            if made.is_proposal
            else await awarding.answer_for(issuance, made.recorded, made.personal)
        )
    headers = replay_headers(replayed=made.outcome == "replayed")
    if isinstance(answer, ProposalAnswer):
        headers["location"] = f"/v1/approvals/{answer.approval.id}"
        return Response(answer, status_code=202, headers=headers)
    headers["location"] = f"/v1/awards/{answer.id}"
    return Response(answer, status_code=200 if made.outcome == "returned" else 201, headers=headers)


@get("/v1/awards/{award_id:str}", tags=["Awards"],
     operation_id="getAward",
     opt=requires("awards:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_award(
    request: Request[Any, Any, Any], award_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[AwardAnswer]:
    """One of the caller's own awards, with its newest credential as it was issued."""
    if not award_id.startswith("awd_"):  # proposals lie beside the awards
        raise errors.NotFound("There is no such award.")
    history = await issuance.history(f"award/{award_id}", own_tenant(caller_of(request)), "award")
    return Response(await awarding.answer_for(issuance, document_of(history)))


@post("/v1/awards/{award_id:str}/correction", tags=["Awards"],
     operation_id="correctAward", status_code=200,
      opt=requires("awards:write", errors=(errors.NotFound, errors.Refused, errors.Conflict, Erased)))  # fmt: skip
async def correct_award(
    request: Request[Any, Any, Any],
    award_id: FromPath[str],
    data: JSONBody[CorrectAward],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[AwardAnswer]:
    """Correct what a credential says. The award stays, with its id, standing and date; its new credential has an
    address of its own, and the one before is revoked: whoever verifies that hears that it was replaced."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, replayed = await correcting.correct(issuance, decided, award_id, data)
    return Response(answer, headers=replay_headers(replayed=replayed))


@get("/v1/awards", tags=["Awards"], operation_id="listAwards", opt=requires("awards:read"),
     dependencies={"wanted": Provide(wanted_awards)})  # fmt: skip
async def list_awards(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    wanted: NamedDependency[WantedAwards],
) -> Response[Page[AwardItem]]:
    """The caller's own awards, newest first, without anything personal; every filter that is given must fit."""
    await issuance.caught_up()
    tenant = own_tenant(caller_of(request))
    position = None
    if wanted.external_id is not None:
        position = await issuance.vault.position_of(issuance.external_name(tenant, EXTERNAL_ID, wanted.external_id))
        position = position or 0  # where no award is
    before = int(paging.after[0]) if paging.after else 2**62
    rows = await issuance.store.pool.fetch(*wanted.query(tenant, position, before, paging.limit + 1))
    return paging.answer([_item(row) for row in rows], place=lambda item: [item.position])


def _item(row: Any) -> AwardItem:
    return AwardItem(
        id=row["award_id"],
        position=row["position"],
        learner_id=row["pseudonym"],
        achievement_id=row["achievement_id"],
        standing=row["standing"],
        awarded_date=format_time(row["awarded"]),
        recorded_at=format_time(row["recorded_at"]),
    )


HANDLERS = [award_learner, correct_award, get_award, list_awards]
