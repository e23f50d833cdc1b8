"""The pages behind the `type` of every problem: `/problems` and `/problems/<code>`, served by every service."""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from ledger.errors import LedgerError, NotFound
from ledger.web.pages import Pages, prefers_html
from ledger.web.routes import public

CACHE = {"cache-control": "public, max-age=3600", "vary": "accept"}

GUIDANCE = {
    "malformed": "Look at `errors`: each names a place in the request and what is wrong there. Sending the same again"
    " cannot succeed.",
    "idempotency_key_missing": "Every request that changes something carries an Idempotency-Key, a new one for each"
    " wish and the same one for a retry. A UUID does well.",
    "unauthenticated": "Send a key of this ledger as `Authorization: Bearer <key>`. Keys expire and can be revoked;"
    " ask your institution's administrator for a new one.",
    "forbidden": "The key is good, and does not open this. `detail` names the scope that is needed.",
    "not_found": "Either nothing is there or this key may not see it; the answer is the same on purpose.",
    "method_not_allowed": "The address exists; `Allow` lists the methods that it takes.",
    "not_acceptable": "The address has no representation of a media type in your Accept header.",
    "conflict": "Somebody else was faster, or the name is taken. Read what is there, then decide anew.",
    "gone": "It was here and was removed for good, for instance by erasure.",
    "stale": "It changed after you read it. Read it again and send the new ETag in If-Match.",
    "too_large": "The body is larger than the address takes; `detail` or the reference says how much that is.",
    "unsupported_media_type": "Send the media type that `detail` names, in UTF-8 and without Content-Encoding.",
    "refused": "The request is well formed and the rules do not allow it; `detail` says which rule. Nothing was"
    " recorded.",
    "idempotency_key_reused": "This Idempotency-Key named another request before. Take a new one for a new wish.",
    "precondition_required": "Read the thing first, then send its ETag in If-Match: so no change of another is lost.",
    "too_many_requests": "Wait as many seconds as Retry-After says. RateLimit tells how much is left at any time.",
    "unavailable": "A part of the ledger cannot be reached. Nothing acknowledged is lost: try again after Retry-After,"
    " with the same Idempotency-Key.",
    "internal": "A fault of ours. It is logged under the request_id; trying again with the same Idempotency-Key is"
    " safe.",
}


class ProblemType(msgspec.Struct, frozen=True):
    """A kind of problem: its code, status, title, and what to do about it."""

    type: str
    code: str
    status: int
    title: str
    guidance: str


class ProblemTypes(msgspec.Struct, frozen=True):
    """Every kind of problem, by status."""

    data: list[ProblemType]


def problem_types(public_url: str) -> dict[str, ProblemType]:
    """Every kind of problem by code, ordered by status; those of a service too, as soon as it is imported."""
    found = {error.code: error for error in _tree(LedgerError)}
    ordered = sorted(found.values(), key=lambda error: (error.status, error.code))
    return {
        error.code: ProblemType(
            f"{public_url}/problems/{error.code}", error.code, error.status, error.title, _guidance(error)
        )
        for error in ordered
    }


def problem_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """The two routes."""

    @get("/problems", operation_id="listProblemTypes", opt=public(), tags=["Reference"])
    async def list_problem_types(request: Request[Any, Any, Any]) -> Response[ProblemTypes]:
        """Every kind of problem that an answer can name."""
        types = list(problem_types(pages.public_url).values())
        if prefers_html(request.headers.get("accept", "")):
            return _page(pages, request, types)
        return Response(ProblemTypes(types), headers=CACHE)

    @get("/problems/{code:str}", operation_id="readProblemType", opt=public(errors=[NotFound]), tags=["Reference"])
    async def read_problem_type(request: Request[Any, Any, Any], code: FromPath[str]) -> Response[ProblemType]:
        """One kind of problem: what it means and what to do."""
        found = problem_types(pages.public_url).get(code)
        if found is None:
            raise NotFound("There is no such kind of problem.")
        if prefers_html(request.headers.get("accept", "")):
            return _page(pages, request, [found])
        return Response(found, headers=CACHE)

    return [list_problem_types, read_problem_type]


def _page(pages: Pages, request: Request[Any, Any, Any], types: list[ProblemType]) -> Response[Any]:
    return pages.answer(request, "problems.html", headers=CACHE, types=types)


def _guidance(error: type[LedgerError]) -> str:
    if error.code in GUIDANCE:
        return GUIDANCE[error.code]
    return " ".join((error.__doc__ or "").split())


def _tree(error: type[LedgerError]) -> Iterator[type[LedgerError]]:
    # A subclass that keeps its parent's code is the same problem to the caller: the parent comes last and wins.
    for child in error.__subclasses__():
        yield from _tree(child)
    yield error
