"""`/openapi.json`, and `/docs`: the same document as a page, without a script or a foreign host."""

import re
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from markdown_it import MarkdownIt
from markupsafe import Markup

from ledger.access import ROLE_SCOPES, ROLES, SCOPES
from ledger.web.conditional import conditional
from ledger.web.openapi import Document, operations
from ledger.web.pages import IMMUTABLE, Pages
from ledger.web.problem_types import problem_types
from ledger.web.rates import RateLimiter
from ledger.web.routes import public

CACHE = {"cache-control": "no-cache"}
_PROSE = MarkdownIt("js-default", {"html": False, "linkify": False})


class Row(msgspec.Struct, frozen=True):
    """One parameter or member in a table: `kind` is markup with links to schemas."""

    name: str
    kind: Markup
    required: bool
    where: str
    description: Markup


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: Markup
    scope: str | None
    parameters: list[Row]
    body: Markup | None
    answers: list[tuple[str, Markup, Markup]]


def reference_routes(pages: Pages, limiter: RateLimiter) -> list[HTTPRouteHandler]:
    """The routes of document, page and assets."""

    @get("/openapi.json", include_in_schema=False, opt=public(limited=False))
    async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        content: bytes = request.app.state["openapi"]
        return conditional(request, content, media_type="application/json", headers=CACHE)

    @get("/docs", include_in_schema=False, opt=public())
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        document: Document = msgspec.json.decode(request.app.state["openapi"])
        return pages.answer(request, "docs.html", headers=CACHE, **reference_of(document), limits=limiter.limits)

    @get("/assets/{name:str}", include_in_schema=False, opt=public(limited=False))
    async def assets(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        asset = pages.asset(name)
        headers = {"cache-control": IMMUTABLE}
        return conditional(request, asset.content, media_type=asset.media_type, headers=headers)

    return [openapi, docs, assets]


def encode_document(document: Document) -> bytes:
    """The document's bytes: the same for the same routes."""
    return msgspec.json.encode(document, enc_hook=str)


def attach_document(app: Litestar, document: Document) -> None:
    """Let the routes serve this document."""
    app.state["openapi"] = encode_document(document)


def reference_of(document: Document) -> dict[str, Any]:
    """What `docs.html` shows of a document."""
    groups: dict[str, list[Operation]] = {}
    for path, method, operation in operations(document):
        group = (operation.get("tags") or ["Other"])[0]
        groups.setdefault(group, []).append(_operation(document, path, method, operation))
    schemas = document["components"]["schemas"]
    return {
        "info": document["info"],
        "groups": groups,
        "schemas": {name: _members(schema) for name, schema in sorted(schemas.items())},
        "schema_prose": {name: _prose(schema.get("description")) for name, schema in schemas.items()},
        "anchor": anchor,
        "scopes": SCOPES,
        "roles": {role: (text, sorted(ROLE_SCOPES[role])) for role, text in ROLES.items()},
        "types": list(problem_types("").values()),
        "token_endpoint": document["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]["tokenUrl"],
    }


def anchor(name: str) -> str:
    """The anchor of a schema on the page."""
    return "schema-" + re.sub(r"[^A-Za-z0-9_-]+", "-", name)


def _operation(document: Document, path: str, method: str, operation: Document) -> Operation:
    parameters = [_resolved(document, parameter) for parameter in operation.get("parameters", [])]
    content = operation.get("requestBody", {}).get("content", {})
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary") or operation["operationId"],
        description=_prose(operation.get("description")),
        scope=operation.get("x-scope"),
        parameters=[
            Row(p["name"], _kind(p.get("schema", {})), p.get("required", False), p["in"], _prose(p.get("description")))
            for p in parameters
        ],
        body=_content(content) if content else None,
        answers=[
            (status, _prose(answer.get("description")), _content(answer.get("content", {})))
            for status, answer in sorted(operation["responses"].items())
        ],
    )


def _resolved(document: Document, value: Document) -> Document:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Document = found
    return resolved


def _members(schema: Document) -> list[Row]:
    required = set(schema.get("required", []))
    return [
        Row(name, _kind(member), name in required, "", _prose(member.get("description")))
        for name, member in schema.get("properties", {}).items()
    ]


def _content(content: Document) -> Markup:
    kinds = [
        Markup("<code>{}</code> {}").format(name, _kind(value.get("schema", {}))) for name, value in content.items()
    ]
    return Markup("<br>").join(kinds)


def _kind(schema: Document) -> Markup:
    """A schema in words: `array of Award`, `string (date-time), at most 200 characters`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{}">{}</a>').format(anchor(name), name)
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return Markup(" or ").join(_kind(member) for member in schema[union])
    if "enum" in schema:
        return Markup(", ").join(Markup("<code>{}</code>").format(str(value)) for value in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(str(schema["const"]))
    kind = schema.get("type", "any value")
    words = Markup(" or ").join(kind) if isinstance(kind, list) else Markup("{}").format(kind)
    if "items" in schema:
        return words + " of " + _kind(schema["items"])
    notes = [str(schema["format"])] if "format" in schema else []
    notes += [text.format(schema[name]) for name, text in _BOUNDS.items() if name in schema]
    return words + Markup(" <small>({})</small>").format(", ".join(notes)) if notes else words


_BOUNDS = {
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minimum": "from {}",
    "maximum": "to {}",
    "maxItems": "at most {} items",
    "default": "default {}",
}


def _prose(text: str | None) -> Markup:
    # The text is ours (docstrings), rendered without HTML of its own.
    return Markup(_PROSE.render(text)) if text else Markup("")  # noqa: S704
