"""OAuth 2.0 (RFC 6749 §4.4): an API key, as client id and secret, gets a short token that every service takes.

`client_id` is the key's id, `client_secret` its text. Errors are those of RFC 6749 §5.2, as JSON, whatever went wrong.
Making a token appends nothing: it opens no more than the key that it stands for, lives ten minutes, dies with the key,
and what is done with it is recorded with the key's name. So there is nothing that an event would have to say.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from issuance.parts import Issuance, draw
from ledger import errors, ids
from ledger.access import SCOPES, AccessToken, Keys, Known, key_suffix
from ledger.access.bearer import end_of, scope_text
from ledger.errors import LedgerError
from ledger.web.authority import counted, policy_for
from ledger.web.exchange import exchange
from ledger.web.problems import ledger_error
from ledger.web.routes import public

FORM: Final = "application/x-www-form-urlencoded"
NO_STORE: Final = {"cache-control": "no-store", "pragma": "no-cache"}
BODY_LIMIT: Final = 8192
GRANT: Final = "client_credentials"
METHODS: Final = ("client_secret_basic", "client_secret_post")

AnyRequest = Request[Any, Any, Any]


class OAuthError(LedgerError):
    """An error of the token endpoint by its name in RFC 6749 §5.2."""

    def __init__(self, name: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.name, self.http_status = name, status


class TokenAnswer(msgspec.Struct, frozen=True):
    """A token (RFC 6749 §5.1). `expires_in` counts seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The authorization server's metadata (RFC 8414 §2)."""

    issuer: str
    token_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    service_documentation: str


def answer_error(request: AnyRequest, raised: Exception) -> Response[dict[str, str]]:
    """Whatever went wrong at the token endpoint, as RFC 6749 §5.2 writes it."""
    if isinstance(raised, OAuthError):
        name, status, detail = raised.name, raised.http_status, raised.detail
    else:
        ours = ledger_error(raised)
        status, detail = ours.status, ours.detail
        name = "invalid_request" if status < 500 else "server_error" if status == 500 else "temporarily_unavailable"
    exchange(request).problem = name
    headers = dict(NO_STORE)
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="credledger", charset="UTF-8"'
    if status in (429, 503):
        headers["retry-after"] = "1"
    return Response({"error": name, "error_description": detail}, status_code=status, headers=headers)


HANDLED: ExceptionHandlersMap = {HTTPException: answer_error, Exception: answer_error}


@post("/oauth/token", include_in_schema=False, status_code=200, exception_handlers=HANDLED,
      opt=public(cross_origin=False))  # fmt: skip
async def issue_token(request: AnyRequest, issuance: NamedDependency[Issuance]) -> Response[TokenAnswer]:
    """A short token for an API key, with the scopes that are asked for; by default all of the key's."""
    form = _form(request, await request.body())
    client, secret = _credentials(request, form)
    if form.get("grant_type") is None:
        raise OAuthError("invalid_request", "The parameter grant_type is missing.")
    known = await _authenticated(request, issuance.api_keys, client, secret)
    if form["grant_type"] != GRANT:
        raise OAuthError("unsupported_grant_type", f"The grant type here is {GRANT}.")
    scopes, now = _scopes(known, form.get("scope")), datetime.now(UTC)
    ends = end_of(now, known.expires_at)
    token = issuance.tokens.issue(
        AccessToken(known.caller.key_id, scopes),
        issuer=issuance.settings.issuance_url,
        token_id=ids.text_id("tok", draw(16)),
        now=now,
        ends=ends,
    )
    answer = TokenAnswer(token, "Bearer", int((ends - now).total_seconds()), scope_text(scopes))
    return Response(answer, headers=NO_STORE)


@get("/.well-known/oauth-authorization-server", operation_id="readOAuthMetadata", opt=public(), tags=["API keys"])
async def read_metadata(issuance: NamedDependency[Issuance]) -> Response[Metadata]:
    """Where and how tokens are to be had (RFC 8414). At `token_endpoint`, `grant_type=client_credentials` with a key's
    id as client id and the key as client secret gets a token of ten minutes, with fewer scopes where `scope` names
    them. It is sent like a key, to all three services."""
    address = issuance.settings.issuance_url
    metadata = Metadata(
        issuer=address,
        token_endpoint=f"{address}/oauth/token",
        scopes_supported=list(SCOPES),
        response_types_supported=[],
        grant_types_supported=[GRANT],
        token_endpoint_auth_methods_supported=list(METHODS),
        service_documentation=f"{address}/docs",
    )
    return Response(metadata, headers={"cache-control": "public, max-age=300"})


def _form(request: AnyRequest, raw: bytes) -> dict[str, str]:
    """The parameters of the body; empty ones count as absent (RFC 6749 §3.2). Raises OAuthError."""
    if request.content_type[0].lower() != FORM or len(raw) > BODY_LIMIT:
        raise OAuthError("invalid_request", f"The body is {FORM}, of at most {BODY_LIMIT} bytes.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict")
    except ValueError as error:
        raise OAuthError("invalid_request", "The body cannot be read as a form.") from error
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise OAuthError("invalid_request", "A parameter is given twice.")
    return {name: value for name, value in pairs if value}


def _credentials(request: AnyRequest, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the header or the body and never from both (RFC 6749 §2.3.1). Raises OAuthError."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        if not form.get("client_id") or not form.get("client_secret"):
            raise OAuthError("invalid_client", "Send the key's id and the key, as HTTP Basic or in the body.", 401)
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        raise OAuthError("invalid_request", "The client authenticates in the header or in the body, not in both.")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        client, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError(scheme)
    except (ValueError, binascii.Error) as error:
        raise OAuthError("invalid_client", "The Authorization header is no HTTP Basic.", 401) from error
    client, secret = unquote_plus(client), unquote_plus(secret)
    if form.get("client_id", client) != client:
        raise OAuthError("invalid_request", "The body names another client than the header.")
    return client, secret


async def _authenticated(request: AnyRequest, keys: Keys, client: str, secret: str) -> Known:
    """The key behind the credentials, counted against its allowance. Raises OAuthError or TooManyRequests."""
    try:
        # The key's whole text, or what follows its id in it.
        text = secret if secret.startswith("cl_") else f"cl_test_{key_suffix(client)}_{secret}"
        known = await keys.holder_of(text, datetime.now(UTC))
    except (errors.Unauthenticated, ValueError) as error:
        counted(request, "failed_keys")
        raise OAuthError("invalid_client", "This is no key of this ledger, or no longer.", 401) from error
    if known.caller.key_id != client:
        counted(request, "failed_keys")
        raise OAuthError("invalid_client", "This is no key of this ledger, or no longer.", 401)
    exchange(request).caller = known.caller
    counted(request, policy_for(known.caller), known.caller.key_id)
    return known


def _scopes(known: Known, wished: str | None) -> frozenset[str]:
    """What the token opens. Raises OAuthError for what the key does not open."""
    if wished is None:
        return known.caller.scopes
    named = frozenset(wished.split(" "))
    if not named <= known.caller.scopes:
        raise OAuthError("invalid_scope", "The key does not hold every scope that is asked for.")
    return named


HANDLERS = [issue_token, read_metadata]
