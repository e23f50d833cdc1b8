"""`/v1/results`: record what a learner achieved, correct it, withdraw it, read it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import recording
from issuance.parts import Issuance, own_tenant
from issuance.recording import EXTERNAL_ID, ResultAnswer
from issuance.results import AlreadyRecorded, CorrectResult, RecordResult, WithdrawResult
from ledger import errors
from ledger.codec import format_time
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

TAGS = ["Results"]
RETURNED = ResponseSpec(data_container=ResultAnswer, description="The result that was there already (`return`).")


class ResultItem(msgspec.Struct, frozen=True):
    """A result in a list, without what came out: read it by its id."""

    id: str
    position: int
    learner_id: str
    achievement_id: str
    assessed_at: str
    withdrawn: bool


@post("/v1/results", tags=TAGS, operation_id="recordResult", status_code=201,
      responses={200: RETURNED},
      opt=requires("results:write",
          errors=(errors.NotFound, errors.Refused, errors.Conflict, AlreadyRecorded, Erased)))  # fmt: skip
async def record_result(
    request: Request[Any, Any, Any],
    data: JSONBody[RecordResult],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ResultAnswer]:
    """Record an assessment result. What came out is sealed under the learner's key; erasing the learner erases it."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, outcome = await recording.record_result(issuance, decided, data)
    headers = {**replay_headers(replayed=outcome == "replayed"), "location": f"/v1/results/{answer.id}"}
    return Response(answer, status_code=200 if outcome == "returned" else 201, headers=headers)


@post("/v1/results/{result_id:str}/correction", tags=TAGS, operation_id="correctResult", status_code=200,
      opt=requires("results:write", errors=(errors.NotFound, errors.Refused, errors.Gone, Erased)))  # fmt: skip
async def correct_result(
    request: Request[Any, Any, Any],
    result_id: FromPath[str],
    data: JSONBody[CorrectResult],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ResultAnswer]:
    """Replace what came out, whole. Awards that were made from it stay as they are."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, replayed = await recording.correct_result(issuance, decided, result_id, data)
    return Response(answer, headers=replay_headers(replayed=replayed))


@post("/v1/results/{result_id:str}/withdrawal", tags=TAGS, operation_id="withdrawResult", status_code=200,
      opt=requires("results:write", errors=(errors.NotFound, errors.Refused, errors.Gone, Erased)))  # fmt: skip
async def withdraw_result(
    request: Request[Any, Any, Any],
    result_id: FromPath[str],
    data: JSONBody[WithdrawResult],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ResultAnswer]:
    """Let a result count no longer, for good. Awards that were made from it stay: revoke them where they should not."""
    decided = issuance.wish(request, wish, own_tenant(caller_of(request)))
    answer, replayed = await recording.withdraw_result(issuance, decided, result_id, data)
    return Response(answer, headers=replay_headers(replayed=replayed))


@get("/v1/results/{result_id:str}", tags=TAGS, operation_id="getResult",
     opt=requires("results:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_result(
    request: Request[Any, Any, Any], result_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[ResultAnswer]:
    """One of the caller's own results, as it reads now."""
    history = await issuance.history(f"result/{result_id}", own_tenant(caller_of(request)), "result")
    return Response(await recording.answer_for(issuance, history))


@get("/v1/results", tags=TAGS, operation_id="listResults", opt=requires("results:read"))
async def list_results(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    achievement_id: Annotated[str | None, QueryParameter(max_length=100)] = None,
    learner_id: Annotated[
        str | None, QueryParameter(max_length=100, description="The learner's pseudonym, `lrn_…`.")
    ] = None,
    assessed_from: Annotated[str | None, QueryParameter(max_length=40, description="RFC 3339, with a zone.")] = None,
    assessed_until: Annotated[str | None, QueryParameter(max_length=40, description="RFC 3339, not included.")] = None,
    external_id: Annotated[str | None, QueryParameter(max_length=200)] = None,
) -> Response[Page[ResultItem]]:
    """The caller's own results, newest first, without anything personal."""
    since, until = _moment("assessed_from", assessed_from), _moment("assessed_until", assessed_until)
    await issuance.caught_up()
    before = int(paging.after[0]) if paging.after else 2**62
    tenant, position = own_tenant(caller_of(request)), None
    if external_id is not None:
        position = await issuance.vault.position_of(issuance.external_name(tenant, EXTERNAL_ID, external_id)) or 0
    wanted = (tenant, before, achievement_id, learner_id, since, until, position, paging.limit + 1)
    found = [
        ResultItem(
            r["result_id"], r["position"], r["pseudonym"], r["achievement_id"], format_time(r["assessed_at"]),
            r["withdrawn"],
        )
        for r in await issuance.store.pool.fetch(LIST, *wanted)
    ]  # fmt: skip
    return paging.answer(found, place=lambda item: [item.position])


def _moment(name: str, text: str | None) -> datetime | None:
    """A time in a query, in which a `+` may have become a space. Raises Malformed."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise errors.Malformed(f"{name} is a time of RFC 3339 with a zone, such as 2026-03-01T00:00:00Z.")
    return moment


LIST = """
SELECT result_id, position, pseudonym, achievement_id, assessed_at, withdrawn FROM issuance.results
WHERE tenant = $1 AND position < $2 AND ($3::text IS NULL OR achievement_id = $3)
  AND ($4::text IS NULL OR pseudonym = $4) AND ($5::timestamptz IS NULL OR assessed_at >= $5)
  AND ($6::timestamptz IS NULL OR assessed_at < $6) AND ($7::bigint IS NULL OR position = $7)
ORDER BY position DESC LIMIT $8
"""
HANDLERS = [record_result, correct_result, withdraw_result, list_results, get_result]
