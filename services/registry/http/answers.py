"""How public facts are answered: JSON or a page by what the reader asks for, with an ETag, and never older than asked.

What can change (standing, keys, profiles) is `no-cache`: kept, but asked for again each time. What never changes is
immutable.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.openapi import ResponseSpec

from ledger import ids
from ledger.web import NotAcceptable, Pages, conditional, exchange
from ledger.web.pages import IMMUTABLE
from registry.http.negotiation import HTML, chosen

JSON = "application/json"
LD_JSON = "application/ld+json"
CHANGING = {"cache-control": "no-cache", "vary": "Accept"}
FIXED = {"cache-control": IMMUTABLE, "vary": "Accept"}

AnyRequest = Request[Any, Any, Any]


def kind_wanted(request: AnyRequest, *offered: str) -> str:
    """The offered media type that this reader wants, the first for `*/*`. Raises NotAcceptable."""
    kind = chosen(request.headers.get("accept", ""), offered)
    if kind is None:
        raise NotAcceptable(f"This is to be had as {', '.join(offered)}.")
    return kind


def about(request: AnyRequest, tenant: str, *, document: bool = False) -> None:
    """Say that the answer is about this tenant: about a sandbox it says TEST. A `document` is signed, or stands in what
    is signed, and is sent as it is."""
    at = exchange(request)
    at.sandbox, at.is_document = ids.is_sandbox(tenant), document


def json_answer(
    request: AnyRequest, value: Any, *, headers: Mapping[str, str] = CHANGING, media_type: str = JSON
) -> Response[bytes]:
    """`value` as JSON, or 304 where the reader has it already."""
    return conditional(request, msgspec.json.encode(value), media_type=media_type, headers=headers)


def page_answer(
    request: AnyRequest, pages: Pages, template: str, *, headers: Mapping[str, str] = CHANGING, **context: Any
) -> Response[bytes]:
    """A page, whole each time: a 304 would join this answer's headers, nonce included, to the markup of another."""
    return pages.answer(request, template, headers=headers, **context)


def described(kind: Any, description: str, *media_types: str) -> dict[int, ResponseSpec]:
    """The `responses` of a handler whose 200 carries this type."""
    return {200: ResponseSpec(data_container=kind, description=description, media_type=(media_types or (JSON,))[0])}


__all__ = [
    "CHANGING",
    "FIXED",
    "HTML",
    "JSON",
    "LD_JSON",
    "AnyRequest",
    "about",
    "described",
    "json_answer",
    "kind_wanted",
    "page_answer",
]
