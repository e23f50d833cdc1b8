"""The guard in front of every route: who calls, whether the key opens this, and whether it asks too often."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ledger.access import SCOPES, Caller
from ledger.errors import Forbidden, TooManyRequests, Unauthenticated
from ledger.web.exchange import exchange
from ledger.web.rates import RateLimiter
from ledger.web.routes import plan_of

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


class Authority(Protocol):
    """Who turns the text of a key into a caller: `ledger.access.Keys`."""

    async def authenticate(self, text: str, now: datetime) -> Caller: ...


def guard_for(authority: Authority, limiter: RateLimiter) -> Guard:
    """The guard of an application. A route without a plan is closed."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        plan = plan_of(handler)
        if plan is None:
            raise Forbidden("This address is not open.")
        address = limiter.hashed(connection.client.host if connection.client else "")
        if plan.scope is None:
            if plan.limited:
                _count(connection, limiter, "address", address)
            return
        try:
            caller = await authority.authenticate(_key_text(connection, basic=plan.basic), datetime.now(UTC))
        except Unauthenticated:
            _count(connection, limiter, "failed_keys", address)
            raise
        at = exchange(connection)
        at.caller, at.sandbox = caller, caller.is_sandbox
        structlog.contextvars.bind_contextvars(tenant=caller.tenant or caller.role)
        _count(connection, limiter, policy_for(caller), caller.key_id)
        _check(caller, plan.scope, changes=plan.changes)

    return guard


def counted(connection: Connection, policy: str, who: str | None = None) -> None:
    """Count a request against an allowance beside the guard's; by default that of its address. Raises
    TooManyRequests."""
    limiter: RateLimiter = connection.app.state["limiter"]
    _count(connection, limiter, policy, who or limiter.hashed(connection.client.host if connection.client else ""))


def policy_for(caller: Caller) -> str:
    """The allowance (`ledger.web.rates`) that a caller's requests count against."""
    return "institution" if caller.tenant is not None else caller.role


def caller_of(connection: Connection) -> Caller:
    """Who calls. Raises Unauthenticated on a public route, which knows nobody."""
    caller = exchange(connection).caller
    if caller is None:
        raise Unauthenticated("This needs an API key.")
    return caller


def _key_text(connection: Connection, *, basic: bool) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if basic and scheme.lower() == "basic":
        return _password(token.strip())
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send an API key, or a token that was made with one, as `Authorization: Bearer <key>`.")
    return token.strip()


def _password(credentials: str) -> str:
    """The password of HTTP Basic (RFC 7617), or the user's name where there is none: clients differ in what they take
    for a key. Raises Unauthenticated."""
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError as error:
        raise Unauthenticated("The credentials of HTTP Basic cannot be read.") from error
    return password or user


def _check(caller: Caller, scope: str, *, changes: bool) -> None:
    if scope not in caller.scopes:
        raise Forbidden(f"The key does not hold the scope {scope} ({SCOPES[scope]}).")
    if changes and not caller.active:
        raise Forbidden("The institution is suspended or closed: it may read, and change nothing.")


def _count(connection: Connection, limiter: RateLimiter, policy: str, who: str) -> None:
    at = exchange(connection)
    try:
        at.rate = limiter.take(policy, who)
    except TooManyRequests:
        at.rate = limiter.spent(policy)
        raise
