"""`/v1/learners`: erasure of the caller's own record of a learner."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import erasing
from issuance.learners import EraseLearner
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.web.authority import caller_of
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class Erasure(msgspec.Struct, frozen=True):
    """What was erased, and the position of the fact that says so."""

    learner_id: str
    position: int
    erased: bool


@post("/v1/learners/{learner_id:str}/erasure", tags=["Learners"],
     operation_id="eraseLearner", status_code=200,
      opt=requires("learners:erase", errors=(errors.NotFound,)))  # fmt: skip
async def erase_learner(
    request: Request[Any, Any, Any],
    learner_id: FromPath[str],
    data: JSONBody[EraseLearner],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Erasure]:
    """Erase this institution's record of a learner, for good: names, identifiers, documents, and the keys to them.

    The history and its proofs stay, without anything personal. Another institution's record is its own to erase.
    """
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    position, replayed = await erasing.erase(issuance, decided, learner_id, data)
    return Response(Erasure(learner_id, position, True), headers=replay_headers(replayed=replayed))


HANDLERS = [erase_learner]
