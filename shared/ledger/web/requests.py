"""What a request must be before its handler sees it: parameters that exist, a media type we read, strict JSON.

The body becomes the handler's type here, without the coercions that the framework makes for query strings: `"5"` is no
number, and every bad field is named.
"""

from typing import Any

from litestar import Request

from ledger.errors import Malformed, UnsupportedMedia
from ledger.web.exchange import exchange
from ledger.web.json_input import read_json
from ledger.web.problems import unknown_parameters
from ledger.web.routes import Body, Plan, plan_of
from ledger.web.validation import convert
from ledger.web.wishes import KEY_HEADER, PERSON_HEADER, decided_by, parse_key, require_key

JSON = "application/json"


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON body is read strictly, once, as the type that its route states."""

    async def json(self) -> Any:
        """The body as the route's type. Raises Malformed."""
        if "credledger_body" not in self.scope["state"]:
            plan = plan_of(self.route_handler)
            if plan is None or plan.body is None:
                return read_json(await self.body())
            value = read_json(await self.body(), text_limit=plan.text_limit)
            self.scope["state"]["credledger_body"] = convert(value, plan.body.type)
        return self.scope["state"]["credledger_body"]


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Refuse, before the handler's arguments are made, what no handler should see."""
    plan = plan_of(request.route_handler)
    if plan is None:
        return
    if plan.query is not None:
        unknown = sorted(set(request.query_params) - plan.query)
        if unknown:
            raise unknown_parameters(unknown)
    if plan.keyed:
        require_key(request.headers.get(KEY_HEADER))
    if plan.changes:
        exchange(request).decided_by = decided_by(request.headers.get(PERSON_HEADER))
    if not plan.keyed and (key := request.headers.get(KEY_HEADER)) is not None:
        parse_key(key)
    if plan.body is not None:
        await _check_body(request, plan, plan.body)


async def _check_body(request: Request[Any, Any, Any], plan: Plan, body: Body) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("Bodies are read without Content-Encoding.")
    media_type, options = request.content_type
    if not body.accepts(media_type.lower()):
        taken = ", ".join(sorted({body.media_type, *body.accepted}))
        raise UnsupportedMedia(f"This address takes {taken}.")
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia("Bodies are UTF-8.")
    if body.media_type == JSON and not await request.body():
        raise Malformed("A JSON body is required.")
