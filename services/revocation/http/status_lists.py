"""`/status-lists/{list_id}`: signed Bitstring Status Lists, for everybody, as they are and as they were."""

import re
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from ledger import errors
from ledger.codec import parse_time
from ledger.web.conditional import conditional
from ledger.web.routes import public
from revocation.parts import Revocation

MEDIA_TYPE = "application/vc"
# Whoever keeps a copy asks at each use whether it still holds: no cache can show what was true a second ago.
CACHE = {"cache-control": "public, no-cache"}
STAMP = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


@get(
    "/status-lists/{list_id:str}",
    operation_id="readStatusList",
    media_type=MEDIA_TYPE,
    opt=public(errors=(errors.Malformed, errors.NotFound, errors.StatusRetrievalError)),
    tags=["Status lists"],
)
async def read_status_list(
    request: Request[Any, Any, Any],
    list_id: FromPath[str],
    revocation: NamedDependency[Revocation],
    timestamp: Annotated[
        str | None,
        QueryParameter(
            description="The list as it was at this moment: an XML dateTimeStamp, such as 2026-01-31T12:00:00Z."
        ),
    ] = None,
) -> Response[bytes]:
    """A signed list with everything that was recorded before this request, or as it was at a moment."""
    if not re.fullmatch(r"sl_[a-z2-7]{26}", list_id):
        raise errors.NotFound("There is no such status list.")
    if timestamp is None:
        credential = await revocation.lists.newest(list_id)
    else:
        credential = await revocation.lists.as_of(list_id, _moment(timestamp))
    return conditional(request, credential, media_type=MEDIA_TYPE, headers=CACHE)


def _moment(text: str) -> Any:
    """The moment of an XML dateTimeStamp (XML Schema 1.1, §3.4.28)."""
    try:
        if STAMP.fullmatch(text):
            return parse_time(text)
    except (ValueError, OverflowError):
        pass
    raise errors.Malformed("The parameter timestamp is a moment with a zone, such as 2026-01-31T12:00:00Z.")


HANDLERS = [read_status_list]
