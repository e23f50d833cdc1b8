"""Who may call: API keys and what they open.

Keys are facts in the log (`access.key_created` …). Each service follows them with an `AccessProjection` of its own and
asks `Keys` at every request, so that a revoked key dies everywhere within a second.
"""

from ledger.access.callers import ROLE_SCOPES, SCOPES, Caller, scopes_for
from ledger.access.keys import AccessProjection, Keys, access_tables
from ledger.access.tokens import Token, key_suffix, new_token, parse_token, secret_hash

__all__ = [
    "ROLE_SCOPES",
    "SCOPES",
    "AccessProjection",
    "Caller",
    "Keys",
    "Token",
    "access_tables",
    "key_suffix",
    "new_token",
    "parse_token",
    "scopes_for",
    "secret_hash",
]
