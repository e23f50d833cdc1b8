"""Pages of a list: an opaque signed cursor, `limit` up to 200, `{data, next_cursor, has_more}` and `Link`.

A cursor holds the place of the last item shown and is signed together with the route, the caller's tenant and all
other parameters: it goes on with the list that it came from and with no other.

    rows = await read(after=paging.after, limit=paging.limit + 1)
    return paging.answer([item_of(row) for row in rows], place=lambda item: [item.position])
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from ledger import ids
from ledger.errors import Malformed
from ledger.web.exchange import exchange
from ledger.web.routes import plan_of

LIMIT_DEFAULT = 50
LIMIT_MOST = 200
_MAC_BYTES = 16

T = TypeVar("T")
Place = list[str | int]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list. `next_cursor` is null on the last one."""

    data: list[T]
    next_cursor: str | None
    has_more: bool


class Cursors:
    """Makes and reads cursors under the server's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = ids.keyed(secret, "credledger/cursor/v1")

    def sign(self, of: bytes, place: Place) -> str:
        """The cursor of a place in the list that `of` names."""
        body = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(self._mac(of, body) + body).decode().rstrip("=")

    def read(self, of: bytes, cursor: str) -> Place:
        """The place in a cursor of the list that `of` names. Raises Malformed."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        body = raw[_MAC_BYTES:]
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(of, body)) or self._text(raw) != cursor:
            raise Malformed("The cursor is not one of this list; start again without it.")
        return msgspec.json.decode(body, type=Place)

    def _mac(self, of: bytes, body: bytes) -> bytes:
        return ids.keyed(self._secret, "cursor", of, body)[:_MAC_BYTES]

    def _text(self, raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted: up to `limit` items after the place `after` (None: from the start)."""

    limit: int
    after: Place | None
    cursors: Cursors
    of: bytes
    path: str
    parameters: tuple[tuple[str, str], ...]

    def answer(self, found: Sequence[T], place: Callable[[T], Place]) -> Response[Page[T]]:
        """The page of up to `limit + 1` items found; the one too many only tells that there are more."""
        data = list(found[: self.limit])
        cursor = self.cursors.sign(self.of, place(data[-1])) if len(found) > self.limit else None
        headers = {}
        if cursor is not None:
            query = urlencode([*self.parameters, ("limit", str(self.limit)), ("cursor", cursor)])
            headers["link"] = f'<{self.path}?{query}>; rel="next"'
        return Response(Page(data, cursor, cursor is not None), headers=headers)


async def paging_of(
    request: Request[Any, Any, Any],
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MOST, description="How many items, 1 to 200.")] = LIMIT_DEFAULT,
    cursor: Annotated[
        str | None, QueryParameter(max_length=1024, description="`next_cursor` of the page before.")
    ] = None,
) -> Paging:
    """The dependency `paging`."""
    plan = plan_of(request.route_handler)
    caller = exchange(request).caller
    others = tuple(sorted((k, str(v)) for k, v in request.query_params.multi_items() if k not in ("limit", "cursor")))
    named = [
        plan.template if plan else "",
        caller.tenant if caller else None,
        sorted(request.path_params.items()),
        others,
    ]
    of = msgspec.json.encode(named, enc_hook=str)
    cursors: Cursors = request.app.state["cursors"]
    return Paging(
        limit=limit,
        after=None if cursor is None else cursors.read(of, cursor),
        cursors=cursors,
        of=of,
        path=request.url.path,
        parameters=others,
    )
