"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header-07): a wish has a name, so that a retry is recognised.

The header is a structured string, `"8e03978e-…"`; the bare text means the same. Scope of a key = tenant + route. No
answer is stored: the store finds the event that the first try made, and the answer is built from it again.
"""

import re
from typing import Any

import msgspec
from litestar import Request

from ledger.errors import FieldError, Malformed, MissingIdempotencyKey
from ledger.events import LEDGER_TENANT
from ledger.web.authority import caller_of
from ledger.web.routes import plan_of

KEY_HEADER = "idempotency-key"
KEY_LIMIT = 255
PERSON_HEADER = "credledger-decided-by"
PERSON_LIMIT = 200
_BARE = re.compile(r"[\x21-\x7e]+")
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')


class WishKey(msgspec.Struct, frozen=True, kw_only=True):
    """What names a wish, for the store: `said` is what the fingerprint is made of (path parameters and the canonical
    body), so that the same key with another wish is seen. It may hold names of people: hash it, never log it."""

    tenant: str
    route: str
    key: str
    said: bytes

    def __repr__(self) -> str:
        return f"WishKey({self.tenant!r}, {self.route!r})"


def parse_key(header: str) -> str:
    """The key in an Idempotency-Key field. Raises Malformed."""
    text = header.strip(" \t")
    if text.startswith('"'):
        match = _QUOTED.fullmatch(text)
        key = re.sub(r'\\(["\\])', r"\1", match.group(1)) if match else ""
    else:
        key = text
    if len(key) > KEY_LIMIT or not _BARE.fullmatch(key):
        raise Malformed(f"An Idempotency-Key is 1 to {KEY_LIMIT} visible ASCII characters, quoted or bare.")
    return key


def require_key(header: str | None) -> str:
    """The key of a request that changes something. Raises MissingIdempotencyKey or Malformed."""
    if header is None:
        raise MissingIdempotencyKey("Send an Idempotency-Key, a new one for each wish, such as a UUID.")
    return parse_key(header)


def decided_by(header: str | None) -> str | None:
    """The institution's own id of the person who decided, where it was sent. Raises Malformed."""
    if header is None:
        return None
    if not 0 < len(header) <= PERSON_LIMIT or not header.isascii() or not header.isprintable():
        raise Malformed(f"Credledger-Decided-By is 1 to {PERSON_LIMIT} printable ASCII characters.")
    return header


async def wish_of(request: Request[Any, Any, Any]) -> WishKey:
    """The dependency `wish`: what this request is called, for `store.decide`."""
    plan = plan_of(request.route_handler)
    if plan is None or not plan.changes:
        raise TypeError(f"{request.route_handler} takes a wish and does not change anything")
    return WishKey(
        tenant=caller_of(request).tenant or LEDGER_TENANT,
        route=f"{min(plan.methods)} {plan.template}",
        key=require_key(request.headers.get(KEY_HEADER)),
        said=await said_by(request),
    )


async def said_by(request: Request[Any, Any, Any]) -> bytes:
    """Path and query parameters and body in one canonical text: member order and white space do not make another
    wish."""
    raw = await request.body()
    path = {name: str(value) for name, value in request.path_params.items()}
    try:
        body: Any = msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError as error:
        if request.content_type[0] == "application/json":
            raise Malformed("The body is not JSON.", errors=[FieldError("", "Not JSON")]) from error
        body = raw
    query = [[sorted(request.query_params.multi_items())]] if request.query_params else []
    return msgspec.json.encode([path, body, *query], order="deterministic")


def replay_headers(*, replayed: bool) -> dict[str, str]:
    """The header of an answer that was given before, for `Response(…, headers=…)`."""
    return {"idempotent-replayed": "true"} if replayed else {}
