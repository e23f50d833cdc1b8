"""One service's web application, built from what the service brings: routes, keys, dependencies, checks.

    def app(settings: Settings) -> Litestar:
        keys = Keys("issuance", settings.pepper)
        return application(settings, Service(title="Issuance", handlers=[award_learner], keys=keys, …))

Nothing is global and nothing is opened here: what lives as long as the server belongs into `lifespan`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Tag
from litestar.types import ControllerRouterHandler
from prometheus_client.registry import Collector

from ledger.access import Caller
from ledger.codec import Actor
from ledger.settings import Settings
from ledger.web import problems
from ledger.web.authority import Authority, caller_of, guard_for
from ledger.web.exchange import exchange
from ledger.web.health import Check, health_routes
from ledger.web.metrics import Metrics
from ledger.web.openapi import openapi_document, query_names
from ledger.web.pages import Pages
from ledger.web.paging import Cursors, paging_of
from ledger.web.problem_types import problem_routes
from ledger.web.rates import LIMITS, Limit, RateLimiter
from ledger.web.reference import attach_document, reference_routes
from ledger.web.requests import StrictRequest, check_request
from ledger.web.routes import plan_routes, set_query
from ledger.web.shell import Shell
from ledger.web.wishes import wish_of

BODY_LIMIT = 1_048_576
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What one service brings. `folders` hold its `templates/` and `static/`; `shared` are names that all its
    templates see; `ready` are the checks of `/readyz`; `collectors` its own Prometheus figures."""

    title: str
    description: str = ""
    version: str = "1"
    handlers: Sequence[ControllerRouterHandler]
    keys: Authority
    dependencies: Mapping[str, Provide] = {}
    lifespan: Sequence[Lifespan] = ()
    ready: Mapping[str, Check] = {}
    collectors: Sequence[Collector] = ()
    folders: Sequence[Path] = ()
    shared: Mapping[str, Any] = {}
    limits: Mapping[str, Limit] = msgspec.field(default_factory=lambda: LIMITS)
    tags: Mapping[str, str] = {}


class _Unserved(Router):
    """Takes the framework's own documentation routes, and serves none: ours are in `ledger.web.reference`."""

    def register(self, value: ControllerRouterHandler) -> list[Any]:
        return []


def application(settings: Settings, service: Service) -> Litestar:
    """The whole application: every route, guarded; every error, a problem. Raises RouteError where a route does not
    say what it must. The dependencies `caller`, `actor`, `wish`, `paging`, `pages` and `request_id` are there for
    every handler."""
    metrics, limiter = Metrics(service.collectors), RateLimiter(service.limits)
    pages = Pages(settings, service.folders, title_of_service=service.title, **service.shared)
    own = [*health_routes(service.ready, metrics), *problem_routes(pages), *reference_routes(pages, limiter)]
    app = Litestar(
        route_handlers=[*service.handlers, *own],
        request_class=StrictRequest,
        request_max_body_size=BODY_LIMIT,
        guards=[guard_for(service.keys, limiter)],
        before_request=check_request,
        exception_handlers={HTTPException: problems.answer, Exception: problems.answer},
        dependencies={**_dependencies(pages), **service.dependencies},
        lifespan=list(service.lifespan),
        openapi_config=_openapi_config(service),
        logging_config=None,
        debug=False,
    )
    app.state["pages"], app.state["cursors"] = pages, Cursors(settings.server_secret)
    app.state["limiter"] = limiter
    plan_routes(app)
    document = openapi_document(app, settings.issuance_url)
    set_query(app, query_names(document))
    attach_document(app, document)
    # Middleware sees only what a route matched; the shell must see everything.
    app.asgi_handler = Shell(app.asgi_handler, app, settings, metrics)
    return app


def resource(name: str) -> Provide:
    """A dependency that the lifespan opened and put into `app.state[name]`."""

    async def provide(request: Request[Any, Any, Any]) -> Any:
        return request.app.state[name]

    return Provide(provide)


def _dependencies(pages: Pages) -> dict[str, Provide]:
    async def provide_pages() -> Pages:
        return pages

    return {
        "caller": Provide(_caller),
        "actor": Provide(_actor),
        "request_id": Provide(_request_id),
        "wish": Provide(wish_of),
        "paging": Provide(paging_of),
        "pages": Provide(provide_pages),
    }


async def _caller(request: Request[Any, Any, Any]) -> Caller:
    return caller_of(request)


async def _actor(request: Request[Any, Any, Any]) -> Actor:
    caller = caller_of(request)
    return Actor(key=caller.key_id, role=caller.role, request=exchange(request).request_id)


async def _request_id(request: Request[Any, Any, Any]) -> str:
    return exchange(request).request_id


def _openapi_config(service: Service) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=service.title,
        version=service.version,
        description=service.description,
        tags=[Tag(name=name, description=text) for name, text in service.tags.items()] or None,
        openapi_router=_Unserved("/", route_handlers=[]),
        use_handler_docstrings=True,
    )
