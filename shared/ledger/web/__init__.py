"""The HTTP shell that the three services share.

A service writes handlers and states, in each route's `opt`, who may call it; `application` does the rest: problems,
request ids, access log, keys and scopes, idempotency, paging, conditional requests, rate limits, CORS, security
headers, health, metrics, the OpenAPI document and its page.
"""

from ledger.web.application import BODY_LIMIT, Service, application, resource
from ledger.web.authority import caller_of
from ledger.web.conditional import conditional, content_etag, require_match, unchanged, version_etag
from ledger.web.exchange import exchange
from ledger.web.json_input import read_json
from ledger.web.pages import Pages, prefers_html
from ledger.web.paging import Page, Paging
from ledger.web.problems import NotAcceptable, Problem
from ledger.web.rates import LIMITS, Limit
from ledger.web.routes import Plan, RouteError, plans_of, public, requires
from ledger.web.server import serve
from ledger.web.validation import convert
from ledger.web.wishes import WishKey, replay_headers

__all__ = [
    "BODY_LIMIT",
    "LIMITS",
    "Limit",
    "NotAcceptable",
    "Page",
    "Pages",
    "Paging",
    "Plan",
    "Problem",
    "RouteError",
    "Service",
    "WishKey",
    "application",
    "caller_of",
    "conditional",
    "content_etag",
    "convert",
    "exchange",
    "plans_of",
    "prefers_html",
    "public",
    "read_json",
    "replay_headers",
    "require_match",
    "requires",
    "resource",
    "serve",
    "unchanged",
    "version_etag",
]
