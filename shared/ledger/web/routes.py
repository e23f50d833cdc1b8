"""What every route states about itself, once, in its `opt`, and what follows from that.

    @post("/v1/awards", operation_id="awardLearner", opt=requires("awards:write", errors=(NotFound,)))
    @get("/v1/achievements", operation_id="listAchievements", opt=public())

A route that says neither does not start: `plan` refuses it. Everything else that the shell does for a route (who may
call, whether an Idempotency-Key is needed, which errors the OpenAPI document lists, whether other origins may read)
is read from the `Plan` made here.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeGuard

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg
from litestar.routes import HTTPRoute

from ledger.access import SCOPES
from ledger.errors import LedgerError
from ledger.web.json_input import TEXT_LIMIT

PLAN = "plan"
STATE_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RouteError(Exception):
    """A route does not say what it must; the message names it."""


class Body(msgspec.Struct, frozen=True):
    """The request body that a route takes: its type, its media type, and further ones it accepts."""

    type: Any
    media_type: str
    accepted: frozenset[str]

    @property
    def media_types(self) -> list[str]:
        """Every media type that is taken, its own first."""
        return [self.media_type, *sorted(self.accepted)]

    def accepts(self, media_type: str) -> bool:
        json = self.media_type == "application/json" and re.fullmatch(r"application/[a-z0-9.+-]+\+json", media_type)
        return media_type == self.media_type or media_type in self.accepted or bool(json)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a route is. `changes` = it may append to the log, so it needs an Idempotency-Key, unless a foreign standard
    names its wishes otherwise (`keyed` is False). `basic` = it takes the API key also as the password of HTTP Basic.
    `headers` are fields that each of its answers carries."""

    template: str
    methods: frozenset[str]
    scope: str | None
    public: bool
    changes: bool
    keyed: bool
    basic: bool
    cross_origin: bool
    limited: bool
    documented: bool
    body: Body | None
    text_limit: int
    errors: tuple[type[LedgerError], ...]
    query: frozenset[str] | None = None
    forms: tuple[Any, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


def requires(
    scope: str,
    *,
    changes: bool = True,
    errors: Iterable[type[LedgerError]] = (),
    texts: Iterable[str] = (),
    text_limit: int = TEXT_LIMIT,
    forms: Iterable[Any] = (),
    **more: Any,
) -> dict[str, Any]:
    """`opt` of a route for callers that hold `scope`. `changes=False` is for a POST that appends nothing (a preview);
    `errors` are those its rules raise, beside the ones every route may answer with; `texts` are the media types of a
    body that is no JSON and that the handler reads by itself; `forms` are what a JSON body that is read by hand may
    look like, as types or as JSON Schemas. `more` are further members of the `Plan`: `keyed`, `basic`, `headers`."""
    return {
        **more,
        "scope": scope,
        "texts": tuple(texts),
        "public": False,
        "changes": changes,
        "errors": tuple(errors),
        "text_limit": text_limit,
        "forms": tuple(forms),
    }


def public(
    *,
    cross_origin: bool = True,
    errors: Iterable[type[LedgerError]] = (),
    accepts: Iterable[str] = (),
    limited: bool = True,
    text_limit: int = TEXT_LIMIT,
) -> dict[str, Any]:
    """`opt` of a route that anyone may use and that appends nothing. `accepts` names media types beside the body's
    own; `limited=False` spares it the rate limit."""
    return {
        "public": True,
        "changes": False,
        "cross_origin": cross_origin,
        "errors": tuple(errors),
        "accepts": frozenset(accepts),
        "limited": limited,
        "text_limit": text_limit,
    }


def by_capability(*, errors: Iterable[type[LedgerError]] = ()) -> dict[str, Any]:
    """`opt` of a page's form whose unguessable address is the key. A browser sends no Idempotency-Key: the form carries
    a token that names its command, so that sending it twice appends once."""
    return public(cross_origin=False, errors=errors)


def plan_of(handler: Any) -> Plan | None:
    """The plan of a registered route handler; None for what the framework added (OPTIONS)."""
    found: Plan | None = getattr(handler, "opt", {}).get(PLAN)
    return found


def plan_routes(app: Litestar) -> list[Plan]:
    """Give every route of the application its plan. Raises RouteError where one does not say what it must."""
    plans: list[Plan] = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise RouteError(f"{route.path}: only HTTP routes are served")
        plans += [
            handler.opt.setdefault(PLAN, _plan(route.path_format or "/", handler))
            for handler in route.route_handlers
            if handler.http_methods != {"OPTIONS"}
        ]
    return plans


def plans_of(app: Litestar) -> list[Plan]:
    """Every route's plan, in the order of registration."""
    handlers = (handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers)
    return [plan for handler in handlers if (plan := plan_of(handler)) is not None]


def set_query(app: Litestar, names: dict[tuple[str, str], frozenset[str]]) -> None:
    """Tell every documented route which query parameters it has, by (template, method)."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            plan = plan_of(handler)
            if plan is not None and plan.documented:
                known = names.get((plan.template, min(plan.methods)), frozenset())
                handler.opt[PLAN] = msgspec.structs.replace(plan, query=known)


def _plan(template: str, handler: HTTPRouteHandler) -> Plan:
    opt, methods = handler.opt, frozenset(str(method) for method in handler.http_methods)
    name = f"{', '.join(sorted(methods))} {template}"
    scope, is_public = opt.get("scope"), opt.get("public", False)
    if is_public is (scope is not None):
        raise RouteError(f"{name} must state either a scope or public=True")
    if scope is not None and scope not in SCOPES:
        raise RouteError(f"{name} names the scope {scope!r}, which does not exist")
    documented = handler.resolve_include_in_schema()
    if documented and not handler.operation_id:
        raise RouteError(f"{name} needs an operation_id")
    changes = bool(methods & STATE_CHANGING) and opt.get("changes", True)
    if changes and is_public:
        raise RouteError(f"{name} changes state and is public")
    return Plan(
        template=template,
        methods=methods,
        scope=scope,
        public=is_public,
        changes=changes,
        keyed=changes and opt.get("keyed", True),
        basic=opt.get("basic", False),
        cross_origin=is_public and opt.get("cross_origin", True),
        limited=opt.get("limited", True),
        documented=documented,
        body=_body(handler),
        text_limit=opt.get("text_limit", TEXT_LIMIT),
        errors=opt.get("errors", ()),
        forms=opt.get("forms", ()),
        headers=tuple(opt.get("headers", ())),
    )


def _body(handler: HTTPRouteHandler) -> Body | None:
    if texts := handler.opt.get("texts", ()):
        return Body(bytes, texts[0], frozenset(texts[1:]))
    field = handler.parsed_fn_signature.parameters.get("data")
    if field is None:
        return None
    kind = field.kwarg_definition
    media_type = (
        str(kind.media_type.value if hasattr(kind.media_type, "value") else kind.media_type)
        if _is_body(kind)
        else "application/json"
    )
    return Body(field.annotation, media_type, handler.opt.get("accepts", frozenset()))


def _is_body(kind: object) -> TypeGuard[BodyKwarg]:
    return isinstance(kind, BodyKwarg)
