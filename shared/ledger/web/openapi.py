"""The OpenAPI 3.1 document: what the framework derives from the handlers, completed from the routes' plans.

Security, scopes, the Idempotency-Key and every error answer come from the `Plan`, which is also what the guard and the
request checks go by: so the document says what is sent.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from litestar import Litestar

from ledger import errors
from ledger.access import SCOPES
from ledger.errors import LedgerError
from ledger.web.problems import MEDIA_TYPE, Problem
from ledger.web.routes import Plan, plans_of
from ledger.web.wishes import KEY_LIMIT, PERSON_LIMIT

Document = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_METHODS = ("get", "post", "put", "patch", "delete")


def openapi_document(app: Litestar, issuance_url: str = "") -> Document:
    """The document of an application whose routes have their plans; tokens are to be had at `issuance_url`."""
    document = _short_names(app.openapi_schema.to_schema())
    plans = {(plan.template, method.lower()): plan for plan in plans_of(app) for method in plan.methods}
    components = document.setdefault("components", {})
    _, schemas = msgspec.json.schema_components([Problem], ref_template=_REFERENCE)
    components.setdefault("schemas", {}).update(schemas)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key of this ledger, `cl_…`."},
        "basic": {"type": "http", "scheme": "basic", "description": "An API key of this ledger as the password."},
        "token": {
            "type": "oauth2",
            "description": "A token of ten minutes that stands for an API key (client id: the key's id; secret: the"
            " key), from issuance.",
            "flows": {"clientCredentials": {"tokenUrl": f"{issuance_url}/oauth/token", "scopes": dict(SCOPES)}},
        },
    }
    components["parameters"] = {"IdempotencyKey": _idempotency_key(), "DecidedBy": _decided_by()}
    components["headers"] = _headers()
    for template, method, operation in operations(document):
        _complete(operation, plans[template, method])
        _form(operation, plans[template, method], components["schemas"])
    return document


def _form(operation: Document, plan: Plan, schemas: Document) -> None:
    """What a body that is read by hand may look like: the types and schemas that the route names."""
    if plan.body is not None and plan.body.type is bytes:
        taken = {media_type: {"schema": {"type": "string"}} for media_type in plan.body.media_types}
        operation["requestBody"] = {"required": True, "content": taken}
    if not plan.forms:
        return
    wanted = []
    for form in plan.forms:
        if isinstance(form, dict):
            wanted.append(form)
            continue
        (reference,), found = msgspec.json.schema_components([form], ref_template=_REFERENCE)
        schemas.update(found)
        wanted.append(reference)
    body = operation.setdefault("requestBody", {"required": True, "content": {"application/json": {}}})
    body["content"]["application/json"]["schema"] = {"anyOf": wanted}


def _short_names(document: Document) -> Document:
    """Schema names without the modules that generic types drag along: `Page_Award`, not `Page_service.http.Award_`."""
    text = msgspec.json.encode(document, enc_hook=str).decode()
    names = set(document.get("components", {}).get("schemas", {}))
    for name in sorted(names):
        short = re.sub(r"(?:^|(?<=_))(?:[a-z]\w*\.)+", "", name).rstrip("_")
        if short not in names:
            names.add(short)
            text = text.replace(f'schemas/{name}"', f'schemas/{short}"').replace(f'"{name}":', f'"{short}":')
    shortened: Document = msgspec.json.decode(text)
    return shortened


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """(template, method, operation) of everything that the document describes."""
    for template, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield template, method, item[method]


def query_names(document: Document) -> dict[tuple[str, str], frozenset[str]]:
    """The query parameters of each (template, METHOD)."""
    return {
        (template, method.upper()): frozenset(
            parameter["name"] for parameter in operation.get("parameters", []) if parameter.get("in") == "query"
        )
        for template, method, operation in operations(document)
    }


def errors_of(plan: Plan) -> list[type[LedgerError]]:
    """Every error that a route may answer with, by status."""
    found: list[type[LedgerError]] = [errors.Malformed, LedgerError, errors.Unavailable, *plan.errors]
    if plan.limited:
        found.append(errors.TooManyRequests)
    if "{" in plan.template:
        found.append(errors.NotFound)
    if plan.scope is not None:
        found += [errors.Unauthenticated, errors.Forbidden]
    if plan.body is not None:
        found += [errors.TooLarge, errors.UnsupportedMedia]
    if plan.keyed:
        found += [errors.MissingIdempotencyKey, errors.Conflict, errors.Refused, errors.KeyReused]
    return sorted(set(found), key=lambda error: (error.status, error.code))


def _complete(operation: Document, plan: Plan) -> None:
    operation["summary"] = _sentence(operation["operationId"])
    operation["security"] = _security(plan)
    if plan.scope is not None:
        operation["x-scope"] = plan.scope
        needs = f"Needs the scope `{plan.scope}`: {SCOPES[plan.scope]}."
        operation["description"] = "\n\n".join(filter(None, [operation.get("description"), needs]))
    for name in [*(["IdempotencyKey"] if plan.keyed else []), *(["DecidedBy"] if plan.changes else [])]:
        operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{name}"})
    kept = {status: found for status, found in operation["responses"].items() if int(status) < 400}
    for response in kept.values():
        response.setdefault("headers", {}).update(_header_references(plan))
    kept.update(_problem_responses(errors_of(plan), plan))
    operation["responses"] = kept


def _security(plan: Plan) -> list[dict[str, list[str]]]:
    """The ways in which a caller may show who it is; none for a public route."""
    if plan.scope is None:
        return []
    ways: list[dict[str, list[str]]] = [{"key": []}, {"token": [plan.scope]}]
    return [*ways, {"basic": []}] if plan.basic else ways


def _sentence(operation_id: str) -> str:
    """`awardLearner` as a heading: `Award learner`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", operation_id).lower()
    return words[:1].upper() + words[1:]


def _problem_responses(found: Iterable[type[LedgerError]], plan: Plan) -> Document:
    by_status: dict[int, list[type[LedgerError]]] = {}
    for error in found:
        by_status.setdefault(error.status, []).append(error)
    return {str(status): _problem_response(status, named, plan) for status, named in by_status.items()}


def _problem_response(status: int, named: list[type[LedgerError]], plan: Plan) -> Document:
    headers = _header_references(plan)
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WWWAuthenticate"}
    return {
        "description": " · ".join(f"{error.title} (`{error.code}`)" for error in named),
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
    }


def _header_references(plan: Plan) -> Document:
    names = {"X-Request-Id": "RequestId"}
    if plan.limited:
        names |= {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
    return {name: {"$ref": f"#/components/headers/{reference}"} for name, reference in names.items()}


def _idempotency_key() -> Document:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Names this wish: the same key with the same body gives the same answer, with another body 422."
        " Visible ASCII, quoted or bare.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT + 2, "pattern": "^[!-~]+$"},
        "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    }


def _decided_by() -> Document:
    return {
        "name": "Credledger-Decided-By",
        "in": "header",
        "required": False,
        "description": "Your own id of the person who decided this. It is sealed beside the event, for your audit.",
        "schema": {"type": "string", "minLength": 1, "maxLength": PERSON_LIMIT, "pattern": "^[!-~]+$"},
    }


def _headers() -> Document:
    text: Document = {"type": "string"}
    return {
        "RequestId": {"description": "The id of this request, yours if you sent a well-formed one.", "schema": text},
        "RateLimit": {"description": 'What is left: `"default";r=<requests>;t=<seconds until full>`.', "schema": text},
        "RateLimitPolicy": {"description": 'The allowance: `"default";q=<requests>;w=<seconds>`.', "schema": text},
        "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
        "WWWAuthenticate": {"description": "How to authenticate.", "schema": text},
    }
