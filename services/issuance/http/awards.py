"""`/v1/awards`: award a learner, read what was awarded."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import awarding
from issuance.awarding import AwardAnswer
from issuance.awards import AwardLearner
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.codec import format_time
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class AwardItem(msgspec.Struct, frozen=True):
    """An award in a list: what is needed to find it again."""

    id: str
    position: int
    learner_id: str
    achievement_id: str
    recorded_at: str


@post("/v1/awards", tags=["Awards"],
     operation_id="awardLearner", status_code=201,
      opt=requires("awards:write", errors=(errors.NotFound, errors.Refused, errors.Conflict, Erased)))  # fmt: skip
async def award_learner(
    request: Request[Any, Any, Any],
    data: JSONBody[AwardLearner],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[AwardAnswer]:
    """Award an achievement to a learner. The signed credential is in the answer and at `credential_url`, for ever.

    Revoking is final; suspending is not. The same Idempotency-Key with the same body gives the same answer.
    """
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, replayed = await awarding.award(issuance, decided, data)
    headers = {**replay_headers(replayed=replayed), "location": f"/v1/awards/{answer.id}"}
    return Response(answer, status_code=201, headers=headers)


@get("/v1/awards/{award_id:str}", tags=["Awards"],
     operation_id="getAward",
     opt=requires("awards:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_award(
    request: Request[Any, Any, Any], award_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[AwardAnswer]:
    """One of the caller's own awards, with its credential as it was issued."""
    history = await issuance.history(f"award/{award_id}", own_tenant(caller_of(request)), "award")
    return Response(await awarding.answer_for(issuance, history[0]))


@get("/v1/awards", tags=["Awards"], operation_id="listAwards", opt=requires("awards:read"))
async def list_awards(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], paging: NamedDependency[Paging]
) -> Response[Page[AwardItem]]:
    """The caller's own awards, newest first, without anything personal."""
    await issuance.caught_up()
    before = int(paging.after[0]) if paging.after else 2**62
    rows = await issuance.store.pool.fetch(LIST, own_tenant(caller_of(request)), before, paging.limit + 1)
    found = [
        AwardItem(r["award_id"], r["position"], r["pseudonym"], r["achievement_id"], format_time(r["recorded_at"]))
        for r in rows
    ]
    return paging.answer(found, place=lambda item: [item.position])


LIST = """
SELECT award_id, position, pseudonym, achievement_id, recorded_at FROM issuance.awards
WHERE tenant = $1 AND position < $2 ORDER BY position DESC LIMIT $3
"""
HANDLERS = [award_learner, get_award, list_awards]
