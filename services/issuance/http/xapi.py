"""`/xapi`: statements of learning record providers, xAPI 1.0.3 and 2.0.0 (IEEE 9274.1.1).

Part 3 §2.0 of the specification foresees this: a tool that takes statements and is no learning record store. There is
nothing to read back here but results and awards. No Idempotency-Key: a statement's id names it.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter

from issuance import statements
from issuance.parts import Issuance, own_tenant
from issuance.statements import Sender, Taken
from ledger import errors
from ledger.codec import Actor, format_time
from ledger.web.authority import caller_of
from ledger.web.exchange import exchange
from ledger.web.json_input import read_json
from ledger.web.routes import public, requires

TAGS = ["xAPI"]
VERSION_HEADER = "x-experience-api-version"
VERSIONS = ("1.0.3", "2.0.0")
HEADERS = ((VERSION_HEADER, VERSIONS[0]),)
STATEMENT = {
    "type": "object",
    "title": "An xAPI statement",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "actor": {"type": "object"},
        "verb": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        "object": {"type": "object"},
        "result": {"type": "object"},
        "timestamp": {"type": "string", "format": "date-time"},
    },
    "required": ["actor", "verb", "object"],
}
BATCH = {"type": "array", "title": "Several of them", "items": STATEMENT}
MAY_SEND: dict[str, Any] = {"errors": (errors.Conflict,), "keyed": False, "basic": True, "headers": HEADERS}
_UUID = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
Spoken = Annotated[
    str,
    HeaderParameter(
        name="X-Experience-API-Version", pattern=r"^(?:1\.0|2\.0)(?:\.\d+)?$", description="1.0.3 or 2.0.0."
    ),
]


class About(msgspec.Struct, frozen=True):
    """What `about` says (Part 3 §2.8)."""

    version: list[str]


@get("/xapi/about", tags=TAGS, operation_id="aboutXapi", opt=public())
async def about() -> Response[About]:
    """Which versions of xAPI are spoken here."""
    return Response(About(list(VERSIONS)), headers={VERSION_HEADER: VERSIONS[0]})


@post("/xapi/statements", tags=TAGS, operation_id="postStatements", status_code=200,
      opt=requires("results:write", forms=(STATEMENT, BATCH), **MAY_SEND))  # fmt: skip
async def post_statements(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], spoken: Spoken
) -> Response[list[str]]:
    """Take a statement or an array of statements, whole or not at all; the answer lists their ids.

    What the institution's xAPI mappings name becomes results and awards; `Credledger-Made` says how many were added or
    withdrawn, `Credledger-Passed-By` how many statements no mapping names. The same id with the same content changes
    nothing; with other content it is 409. A `voided` statement withdraws the results of the one that it names.
    """
    taken = await _take(request, issuance, await _body(request))
    return Response(taken.ids, status_code=200, headers=_headers(spoken, taken))


@put("/xapi/statements", tags=TAGS, operation_id="putStatement", status_code=204,
     opt=requires("results:write", forms=(STATEMENT,), **MAY_SEND))  # fmt: skip
async def put_statement(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    spoken: Spoken,
    statement_id: Annotated[str, QueryParameter(name="statementId", pattern=_UUID)],
) -> Response[None]:
    """Take one statement with this id."""
    body = await _body(request)
    if not isinstance(body, dict) or str(body.setdefault("id", statement_id)).lower() != statement_id.lower():
        raise errors.Malformed("The body is one statement, whose id is that of the parameter.")
    taken = await _take(request, issuance, body)
    return Response(None, status_code=204, headers=_headers(spoken, taken))


async def _take(request: Request[Any, Any, Any], issuance: Issuance, body: Any) -> Taken:
    caller = caller_of(request)
    actor = Actor(key=caller.key_id, role=caller.role, request=exchange(request).request_id)
    sender = Sender(own_tenant(caller), actor, "awards:write" in caller.scopes)
    return await statements.take(issuance, sender, body)


async def _body(request: Request[Any, Any, Any]) -> Any:
    """The statements as JSON. Raises Malformed: this standard knows no other status for what cannot be read."""
    if request.content_type[0] != "application/json":
        raise errors.Malformed("Statements come as application/json; attachments by their fileUrl only.")
    return read_json(await request.body())


def _headers(spoken: str, taken: Taken) -> dict[str, str]:
    return {
        VERSION_HEADER: VERSIONS[1] if spoken.startswith("2") else VERSIONS[0],
        "x-experience-api-consistent-through": format_time(datetime.now(UTC)),
        "credledger-made": str(taken.made),
        "credledger-passed-by": str(taken.passed_by),
    }


HANDLERS = [about, post_statements, put_statement]
