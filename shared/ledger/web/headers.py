"""The header fields that every answer carries, and those that only some may: pure functions of route and answer."""

from collections.abc import MutableMapping

from ledger.web.exchange import Exchange
from ledger.web.routes import Plan

EXPOSED = (
    "ETag, Link, Location, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy, Idempotent-Replayed, Test-Mode,"
    " Content-Location"
)
PREFLIGHT_HEADERS = "Accept, Content-Type, If-None-Match, X-Request-Id, traceparent, Idempotency-Key"
TEST_MODE = ("test-mode", "TEST")

_BARE_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# An SVG that is opened by itself may style itself and do nothing else.
_SVG_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"


def page_csp(nonce: str) -> str:
    """The policy of a page: only our own style, images and answers, and scripts that bear the nonce."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self';"
        f" script-src 'nonce-{nonce}' 'strict-dynamic'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def complete(headers: MutableMapping[str, str], at: Exchange, *, test_mode: bool, secure: bool) -> None:
    """Add what every answer has. `headers` are lower-case; what a handler set stays."""
    media_type = headers.get("content-type", "")
    headers["x-request-id"] = at.request_id
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "no-referrer")
    headers.setdefault("x-frame-options", "DENY")
    if media_type.startswith("text/html"):
        headers.setdefault("content-security-policy", page_csp(at.nonce))
        headers.setdefault("cross-origin-opener-policy", "same-origin")
        headers.setdefault("permissions-policy", "camera=(), geolocation=(), microphone=()")
    elif media_type.startswith("image/svg"):
        headers.setdefault("content-security-policy", _SVG_CSP)
    else:
        headers.setdefault("content-security-policy", _BARE_CSP)
    if secure:
        headers.setdefault("strict-transport-security", "max-age=31536000")
    if test_mode or at.sandbox:
        headers[TEST_MODE[0]] = TEST_MODE[1]
    if at.sandbox:
        headers.setdefault("x-robots-tag", "noindex")
    if at.rate is not None:
        rate = at.rate
        headers["ratelimit-policy"] = f'"{rate.policy}";q={rate.quota};w={rate.window_seconds}'
        headers["ratelimit"] = f'"{rate.policy}";r={rate.remaining};t={rate.reset_seconds}'


def share(headers: MutableMapping[str, str], plan: Plan | None) -> None:
    """Let pages of any origin read what is public; what needs a key is for no browser of another origin. Add what the
    route's own standard wants in every answer."""
    for name, value in plan.headers if plan is not None else ():
        headers.setdefault(name, value)
    if plan is not None and plan.scope is not None:
        headers.setdefault("cache-control", "no-store")
    if plan is not None and plan.cross_origin:
        headers["access-control-allow-origin"] = "*"
        headers["access-control-expose-headers"] = EXPOSED
        headers.setdefault("cross-origin-resource-policy", "cross-origin")


def preflight(plan: Plan, methods: str) -> dict[str, str]:
    """The answer to a browser that asks whether another origin's page may send this."""
    if not plan.cross_origin:
        return {}
    return {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": methods,
        "access-control-allow-headers": PREFLIGHT_HEADERS,
        "access-control-max-age": "86400",
    }
