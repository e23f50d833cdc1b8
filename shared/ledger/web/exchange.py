"""One request and its answer: the identity they have in logs, events and headers.

`X-Request-Id` is taken over when it is well formed, else made here; a W3C `traceparent` is taken on. Both go into the
logs; neither may carry anything but an opaque name.
"""

import re
import secrets
import time
from typing import Any

import msgspec
from litestar.connection import ASGIConnection

from ledger import ids
from ledger.access import Caller

KEY = "credledger_exchange"
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,127}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class Rate(msgspec.Struct, frozen=True):
    """What is left of an allowance: requests now, of `quota`, refilled whole within `window_seconds`."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: int


class Exchange(msgspec.Struct, kw_only=True):
    """What the shell knows of one request. `trace_id` is 32 hex digits, `nonce` the page's CSP nonce; `decided_by` is
    personal: never logged, sealed beside events. `sandbox` says that the answer is about a sandbox, and says TEST;
    `is_document` that its body is signed, or stands in what is signed, and is sent as it is."""

    request_id: str
    trace_id: str | None
    method: str
    started: float
    nonce: str
    caller: Caller | None = None
    decided_by: str | None = None
    rate: Rate | None = None
    problem: str | None = None
    sandbox: bool = False
    is_document: bool = False


def begin(scope: Any) -> Exchange:
    """The exchange of an ASGI request that has just come in."""
    headers = dict(scope["headers"])
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    traced = _TRACEPARENT.fullmatch(headers.get(b"traceparent", b"").decode("latin-1"))
    return Exchange(
        request_id=given if REQUEST_ID.fullmatch(given) else ids.text_id("req", secrets.token_bytes(16)),
        trace_id=traced.group(1) if traced else None,
        method=scope["method"],
        started=time.perf_counter(),
        nonce=secrets.token_urlsafe(16),
    )


def exchange(connection: ASGIConnection[Any, Any, Any, Any]) -> Exchange:
    """The exchange that this connection belongs to."""
    found: Exchange = connection.scope["state"][KEY]
    return found
