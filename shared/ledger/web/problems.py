"""Every error as `application/problem+json` (RFC 9457), made in this one place from the tree in `ledger.errors`.

What goes out: type (a page of this product), title, status, one sentence, the request's id, and a pointer to every bad
field. Never a stack trace, an exception's own text or anything of another tenant. An exception that nobody expected is
logged once, here, and answered without detail.
"""

from typing import Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from ledger import errors
from ledger.errors import LedgerError
from ledger.store.away import DATABASE_AWAY
from ledger.web.exchange import Exchange, exchange
from ledger.web.pages import Pages, prefers_html

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
log = structlog.get_logger(__name__)


class FieldProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bad field: `pointer` (RFC 6901) into the body, or the `parameter` and where it stands (`in`)."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    in_: str | None = msgspec.field(default=None, name="in")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457). `code` is stable and what programs should branch on."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] = []


class NotAcceptable(LedgerError):
    status, code, title = 406, "not_acceptable", "It is not to be had in that form"


class _Parameters(errors.Malformed):
    """Query, path or header parameters that are not as they should be."""

    def __init__(self, fields: list[FieldProblem]) -> None:
        super().__init__("Some parameters are not as they should be.")
        self.fields = fields


class _Framework(LedgerError):
    """A status that only the framework raises."""


BY_STATUS: dict[int, type[LedgerError]] = {
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: NotAcceptable,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
    429: errors.TooManyRequests,
    503: errors.Unavailable,
}
_SENTENCES = {
    404: "Nothing is here, or nothing that this caller may see.",
    405: "This address does not take that method; Allow lists those it does.",
    413: "The body is larger than this address takes.",
}


def answer(request: Request[Any, Any, Any], raised: Exception) -> Response[bytes]:
    """The answer to a request that ended in `raised`: problem+json, or the same facts as a page for a browser."""
    ours, at = ledger_error(raised), exchange(request)
    at.problem = ours.code
    if ours.status >= 500 and not isinstance(raised, errors.NotReady):
        # What is away for a while is a warning; only a fault of ours is an error.
        level = "error" if ours.status == 500 else "warning"
        getattr(log, level)("request failed", code=ours.code, exc_info=raised)
    pages: Pages = request.app.state["pages"]
    problem = problem_of(ours, at, pages.public_url)
    headers = _headers(ours, raised)
    if request.method == "GET" and prefers_html(request.headers.get("accept", "")):
        return pages.answer(request, "problem.html", status=ours.status, headers=headers, problem=problem)
    return Response(msgspec.json.encode(problem), status_code=ours.status, media_type=MEDIA_TYPE, headers=headers)


def problem_of(ours: LedgerError, at: Exchange, public_url: str) -> Problem:
    """The problem document of an error."""
    fields = ours.fields if isinstance(ours, _Parameters) else [FieldProblem(e.detail, e.pointer) for e in ours.errors]
    return Problem(
        type=f"{public_url}/problems/{ours.code}",
        title=ours.title,
        status=ours.status,
        detail=ours.detail,
        instance=f"urn:credledger:request:{at.request_id}",
        code=ours.code,
        request_id=at.request_id,
        errors=fields,
    )


def ledger_error(raised: Exception) -> LedgerError:
    """`raised` as an error of our tree."""
    match raised:
        case LedgerError():
            return raised
        case ValidationException():
            return _of_parameters(raised)
        case HTTPException() if raised.status_code == 400:
            return errors.Malformed("The request cannot be read.")
        case HTTPException() if raised.status_code in BY_STATUS:
            sentence = _SENTENCES.get(raised.status_code, raised.detail)
            return BY_STATUS[raised.status_code](sentence)
        case asyncpg.DataError():
            return LedgerError("Something went wrong here; it was logged under this request's id.")
        case _ if isinstance(raised, DATABASE_AWAY):
            return errors.Unavailable("A part that this needs cannot be reached. Try again.")
    return LedgerError("Something went wrong here; it was logged under this request's id.")


def _of_parameters(raised: ValidationException) -> LedgerError:
    fields = []
    for extra in raised.extra if isinstance(raised.extra, list) else []:
        source = extra.get("source")
        source = getattr(source, "value", source)
        if source == "body":
            return errors.Malformed("The body is not as it should be.")
        fields.append(FieldProblem(str(extra.get("message", "")), None, str(extra.get("key", "")), source or "query"))
    return _Parameters(fields) if fields else errors.Malformed("A parameter that is required is missing.")


def unknown_parameters(names: list[str]) -> LedgerError:
    """The refusal of query parameters that a route does not have."""
    return _Parameters([FieldProblem("There is no such parameter here", None, name, "query") for name in names])


def _headers(ours: LedgerError, raised: Exception) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    allow = (getattr(raised, "headers", None) or {}).get("allow")
    if allow:
        headers["allow"] = with_head(allow)
    if ours.status == 401:
        headers["www-authenticate"] = 'Bearer realm="credledger"'
    wait = ours.retry_after_seconds
    if wait is None and ours.status == 503:
        wait = RETRY_SECONDS
    if wait is not None:
        headers["retry-after"] = str(wait)
    return headers


def with_head(allow: str) -> str:
    """An `Allow` list with HEAD beside GET: the shell answers it wherever GET is."""
    methods = {method.strip() for method in allow.split(",")}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
