"""The outermost layer: nothing is answered without passing here, not even what no route matches.

It gives each request its identity, answers HEAD wherever GET is (RFC 9110 §9.3.2) and OPTIONS everywhere, completes the
headers of every answer, and writes one line and one figure per request, with the route's template: a path can be the
key to a credential, and is never logged.
"""

import time
from typing import Any

import structlog
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from ledger.settings import Settings
from ledger.web import headers as fields
from ledger.web.exchange import KEY, Exchange, begin
from ledger.web.marks import is_marked_in_body, marked
from ledger.web.metrics import Metrics
from ledger.web.problems import with_head
from ledger.web.routes import Plan, plan_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
UNMATCHED = "(none)"
CLIENT_LEFT = 499
log = structlog.get_logger("access")


class Shell:
    """Wraps the application's ASGI handler."""

    def __init__(self, inner: ASGIApp, app: Litestar, settings: Settings, metrics: Metrics) -> None:
        self._inner = inner
        self._app = app
        self._metrics = metrics
        self._test_mode = settings.test_mode
        self._secure = settings.public_url.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        at = begin(scope)
        method = "GET" if at.method == "HEAD" else at.method
        # A copy: the server keeps its own scope, and must go on believing that this is a HEAD.
        inner: Any = {**scope, "method": method, "state": {**scope.get("state", {}), KEY: at}}
        answer = _Answer(self, inner, at, send)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=at.request_id)
        if at.trace_id:
            structlog.contextvars.bind_contextvars(trace_id=at.trace_id)
        self._metrics.began()
        try:
            if method == "OPTIONS":
                await self._options(inner, answer)
            else:
                await self._inner(inner, receive, answer)
        except Exception as error:  # only what broke after the answer had begun comes this far
            structlog.get_logger(__name__).error("answer broken off", exc_info=error)
            raise
        finally:
            self._close(inner, at, answer.status)

    def complete(self, scope: Any, at: Exchange, headers: dict[str, str]) -> None:
        """Add what belongs to every answer of this application."""
        fields.complete(headers, at, test_mode=self._test_mode, secure=self._secure)
        fields.share(headers, plan_of(scope.get("route_handler")))

    def _close(self, scope: Any, at: Exchange, status: int) -> None:
        seconds = time.perf_counter() - at.started
        plan = plan_of(scope.get("route_handler"))
        route = plan.template if plan else UNMATCHED
        method = at.method if at.method in METHODS else "OTHER"
        self._metrics.ended(method, route, status, seconds)
        caller = at.caller
        # Probes ask every few seconds: their lines would hide everybody else's.
        say = log.debug if route in PROBES else log.info
        say(
            "request",
            method=method,
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            tenant=(caller.tenant or caller.role) if caller else None,
            **({"problem": at.problem} if at.problem else {}),
        )
        structlog.contextvars.clear_contextvars()

    async def _options(self, scope: Any, answer: "_Answer") -> None:
        wanted = dict(scope["headers"]).get(b"access-control-request-method", b"").decode("latin-1")
        allow, plan = self._methods_at(scope["path"], "GET" if wanted == "HEAD" else wanted)
        if not allow:
            # No such address: the router's own answer is the right one.
            scope["method"] = "GET"
            await self._inner(scope, _nothing, answer)
            return
        headers = {"allow": allow, **(fields.preflight(plan, allow) if plan else {})}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await answer({"type": "http.response.start", "status": 204, "headers": encoded})
        await answer({"type": "http.response.body", "body": b"", "more_body": False})

    def _methods_at(self, path: str, wanted: str) -> tuple[str, Plan | None]:
        """Which methods this address takes, and the plan of its `wanted` one."""
        path, allow, plan = normalize_path(path), "", None
        try:
            # No route has this method, so the router lists those that it has.
            self._app.asgi_router.handle_routing(path=path, method="?")
        except MethodNotAllowedException as error:
            allow = with_head((error.headers or {}).get("allow", ""))
        except HTTPException:
            return "", None
        if wanted in METHODS:
            try:
                plan = plan_of(self._app.asgi_router.handle_routing(path=path, method=wanted)[1])
            except HTTPException:
                plan = None
        return allow, plan


class _Answer:
    """The `send` of one answer: completes its headers, marks what is about a sandbox, and leaves the body out for
    HEAD."""

    def __init__(self, shell: Shell, scope: Any, at: Exchange, send: Send) -> None:
        self._shell, self._scope, self._at, self._send = shell, scope, at, send
        self._held: Any = None  # the start of an answer whose length its body's mark will change
        self.status = CLIENT_LEFT

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            await self._send_body(message)
        elif message["type"] != "http.response.start":
            await self._send(message)
        else:
            self.status = message["status"]
            if is_marked_in_body(self._at, self.status, _text_of(message["headers"])):
                self._held = message
            else:
                await self._send(self._completed(message))

    def _completed(self, start: Any) -> Any:
        given = [(name.lower(), value) for name, value in start["headers"]]
        headers = _text_of(given)
        self._shell.complete(self._scope, self._at, headers)
        # A field that was sent twice (Set-Cookie, Link) stays twice.
        twice = [pair for index, pair in enumerate(given) if pair[0] in {name for name, _ in given[index + 1 :]}]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        return {**start, "headers": [*twice, *encoded]}

    async def _send_body(self, message: Any) -> None:
        more = message.get("more_body", False)
        if self._held is not None:
            start, self._held = self._held, None
            if not more:  # a stream is sent as it comes
                message = {**message, "body": marked(message.get("body", b""))}
                start = {**start, "headers": _of_length(start["headers"], len(message["body"]))}
            await self._send(self._completed(start))
        if self._at.method == "HEAD":
            if more:
                return
            message = {**message, "body": b""}
        await self._send(message)


def _text_of(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _of_length(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}
