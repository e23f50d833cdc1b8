"""How answers about a sandbox say TEST: in a header field always, and in a JSON answer as its first member. ● Pure.

One place for all services, at the outermost layer, so that no answer can forget it. Left as they are: streams whose
lines say it themselves, problems, and documents that are signed or stand in signed ones (`Exchange.is_document`).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ledger.web.exchange import Exchange

MEMBER: Final = b'"test":true'


class _Says(msgspec.Struct):
    test: bool | None = None


def is_marked_in_body(at: Exchange, status: int, headers: Mapping[str, str]) -> bool:
    """Whether the body of this answer shall say TEST. `headers` are lower-case."""
    media_type = headers.get("content-type", "").partition(";")[0]
    return at.sandbox and not at.is_document and status < 300 and media_type == "application/json"


def marked(body: bytes) -> bytes:
    """A JSON object with `"test": true` as its first member; anything else, and what says so already, as it is."""
    try:
        said = msgspec.json.decode(body, type=_Says).test
    except msgspec.DecodeError:  # no object
        return body
    if said is not None:
        return body
    inner = body[1:].lstrip()
    return b"{" + MEMBER + (b"" if inner.startswith(b"}") else b",") + inner
