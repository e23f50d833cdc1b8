"""`/v1/learners/{learner_id}`: the caller's own record of a learner, its changes and its erasure."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import erasing, learner_records
from issuance.learner_records import LearnerAnswer
from issuance.learners import EraseLearner, UpdateLearner
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.conditional import require_match, version_etag
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class Erasure(msgspec.Struct, frozen=True):
    """What was erased, and the position of the fact that says so."""

    learner_id: str
    position: int
    erased: bool


@get("/v1/learners/{learner_id:str}", tags=["Learners"],
     operation_id="getLearner",
     opt=requires("learners:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_learner(
    request: Request[Any, Any, Any], learner_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[LearnerAnswer]:
    """What this institution has on record of a learner: the name and the identifiers as last recorded."""
    answer = await learner_records.read(issuance, own_tenant(caller_of(request)), learner_id)
    return Response(answer, headers={"etag": version_etag(answer.version)})


@put("/v1/learners/{learner_id:str}", tags=["Learners"],
     operation_id="updateLearner",
     opt=requires("learners:write", errors=(errors.NotFound, errors.Refused, errors.Conflict, errors.Stale,
                                            errors.PreconditionRequired, Erased)))  # fmt: skip
async def update_learner(
    request: Request[Any, Any, Any],
    learner_id: FromPath[str],
    data: JSONBody[UpdateLearner],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[LearnerAnswer]:
    """Change a learner's name and identifiers, whole; needs `If-Match`. What was issued stays as it is: correct it by
    itself, where that is wanted."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, replayed = await learner_records.update(
        issuance, decided, learner_id, data, lambda version: require_match(request, version_etag(version))
    )
    return Response(answer, headers={**replay_headers(replayed=replayed), "etag": version_etag(answer.version)})


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


HANDLERS = [get_learner, update_learner, erase_learner]
