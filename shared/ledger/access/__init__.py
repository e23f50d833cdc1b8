"""Who may call: API keys and what they open.

Keys are facts in the log (`access.key_created` …). Each service follows them with an `AccessProjection` of its own and
asks `Keys` at every request, so that a revoked key dies everywhere within a second.
"""

from ledger.access.bearer import AccessToken, Tokens
from ledger.access.callers import INSTITUTION_ROLES, ROLE_SCOPES, ROLES, SCOPES, Caller, scopes_for
from ledger.access.keys import AccessProjection, Keys, Known, access_tables
from ledger.access.tokens import Token, key_suffix, new_token, parse_token, secret_hash

__all__ = [
    "INSTITUTION_ROLES",
    "ROLES",
    "ROLE_SCOPES",
    "SCOPES",
    "AccessProjection",
    "AccessToken",
    "Caller",
    "Keys",
    "Known",
    "Token",
    "Tokens",
    "access_tables",
    "key_suffix",
    "new_token",
    "parse_token",
    "scopes_for",
    "secret_hash",
]
