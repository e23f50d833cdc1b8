"""Everything that can go wrong on purpose: one tree, mapped to HTTP in one place (`ledger.web`).

Each class fixes the HTTP status, a stable `code` and a title. An instance adds one sentence a person can act on and,
for input, the JSON pointer (RFC 6901) of every bad field. Nothing here may quote personal data.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One bad field: a JSON pointer into the request body and what is wrong there."""

    pointer: str
    detail: str


class LedgerError(Exception):
    """Root of the tree. `detail` is a sentence for the caller, `errors` point at the fields, if any."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds


class Malformed(LedgerError):
    status, code, title = 400, "malformed", "The request is malformed"


class MissingIdempotencyKey(LedgerError):
    status, code, title = 400, "idempotency_key_missing", "An Idempotency-Key is required"


class Unauthenticated(LedgerError):
    status, code, title = 401, "unauthenticated", "A valid API key is required"


class Forbidden(LedgerError):
    status, code, title = 403, "forbidden", "This key may not do that"


class NotFound(LedgerError):
    status, code, title = 404, "not_found", "There is no such thing"


class StatusRetrievalError(NotFound):
    """There is no status list for that time (STATUS_RETRIEVAL_ERROR of Bitstring Status List 1.0): ask for a time
    between the list's opening and now."""

    code, title = "status_retrieval_error", "STATUS_RETRIEVAL_ERROR"


class MethodNotAllowed(LedgerError):
    status, code, title = 405, "method_not_allowed", "The method is not allowed here"


class Conflict(LedgerError):
    status, code, title = 409, "conflict", "That conflicts with what is already recorded"


class Gone(LedgerError):
    status, code, title = 410, "gone", "It was here and is gone"


class Stale(LedgerError):
    status, code, title = 412, "stale", "It has changed since it was read"


class TooLarge(LedgerError):
    status, code, title = 413, "too_large", "The request is too large"


class UnsupportedMedia(LedgerError):
    status, code, title = 415, "unsupported_media_type", "The media type is not supported"


class Refused(LedgerError):
    """A rule says no: well-formed, understood, and not allowed by what is recorded."""

    status, code, title = 422, "refused", "The rules refuse that"


class KeyReused(LedgerError):
    status, code, title = 422, "idempotency_key_reused", "The Idempotency-Key was used with another request"


class PreconditionRequired(LedgerError):
    status, code, title = 428, "precondition_required", "If-Match is required"


class TooManyRequests(LedgerError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(LedgerError):
    """A part that the answer needs is down; trying again later is right."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"


class NotReady(Unavailable):
    """The service itself says that it is not ready yet: an answer to a probe, not a fault."""
