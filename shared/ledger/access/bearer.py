"""Short access tokens (RFC 6750, profile RFC 9068): JWTs that stand for an API key for some minutes, with all or a part
of its scopes.

Every service makes the same signing key from the server's secret, so a token is judged where it is shown, without
asking anybody; the key behind it is looked up as if it were shown itself, so a token dies with its key. Pure: the clock
and the token's id are arguments.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ledger import ids
from ledger.errors import Unauthenticated

TOKEN_SECONDS: Final = 600
ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
LENGTH_LIMIT: Final = 4096


class AccessToken(msgspec.Struct, frozen=True):
    """What a token says: for which key it stands, and what it opens of what the key opens."""

    key_id: str
    scopes: frozenset[str]


def looks_like_token(text: str) -> bool:
    """Whether a credential is a token rather than an API key."""
    return text.count(".") == 2


class Tokens:
    """Makes and reads the tokens of a ledger. `audience` is its public address."""

    def __init__(self, secret: bytes, audience: str) -> None:
        self._key = OctKey.import_key(ids.keyed(secret, "credledger/access-token/v1"))
        self._audience = audience

    def issue(self, token: AccessToken, *, issuer: str, token_id: str, now: datetime, ends: datetime) -> str:
        """The text of a token that is good from `now` until `ends`."""
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": token.key_id,
            "client_id": token.key_id,
            "aud": self._audience,
            "iat": int(now.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": token_id,
            "scope": scope_text(token.scopes),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._key, algorithms=[ALGORITHM])

    def read(self, text: str, now: datetime) -> AccessToken:
        """What a token says at `now`. Raises Unauthenticated, with a sentence that does not repeat it."""
        refused = Unauthenticated("This is not an access token of this ledger.")
        if len(text) > LENGTH_LIMIT:
            raise refused
        try:
            found = jwt.decode(text, self._key, algorithms=[ALGORITHM])
            claims, typ = found.claims, found.header.get("typ")
            key_id, scope, ends = claims["client_id"], claims["scope"], claims["exp"]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise refused from error
        if typ != TYPE or claims.get("aud") != self._audience:
            raise refused
        if now.timestamp() >= ends:
            raise Unauthenticated("This access token has expired; get a new one with the API key.")
        return AccessToken(key_id, frozenset(scope.split()))


def end_of(now: datetime, key_ends: datetime | None) -> datetime:
    """When a token ends that is made at `now`: after ten minutes, and never later than its key."""
    ends = now + timedelta(seconds=TOKEN_SECONDS)
    return ends if key_ends is None else min(ends, key_ends)


def scope_text(scopes: Iterable[str]) -> str:
    """Scopes as RFC 6749 §3.3 writes them."""
    return " ".join(sorted(scopes))
