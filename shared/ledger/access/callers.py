"""Who calls, and the closed list of what a key may open. Pure."""

from collections.abc import Iterable, Mapping

import msgspec

from ledger import ids
from ledger.errors import FieldError, Malformed

SCOPES: Mapping[str, str] = {
    "institutions:write": "create institutions, and suspend, reinstate, rename, move, merge and close them",
    "institutions:read": "list institutions and their keys' names",
    "profile:write": "change the own issuer profile and rotate the own signing keys",
    "keys:write": "make, rotate and revoke API keys",
    "keys:read": "list API keys, never their secrets",
    "achievements:write": "publish and withdraw achievements",
    "awards:write": "award achievements to learners",
    "awards:read": "read own awards, with the addresses of their credentials",
    "results:write": "record, correct and withdraw assessment results, also as xAPI statements",
    "results:read": "read own assessment results and mappings",
    "mappings:write": "publish and withdraw mappings of what learning management systems export",
    "learners:read": "read own records of learners: names and identifiers",
    "learners:write": "change own records of learners",
    "jobs:write": "send lists of wishes as jobs, and start, pause or cancel them",
    "jobs:read": "follow own jobs, and read their refused rows",
    "learners:erase": "erase a learner's personal data",
    "notices:write": "write the texts of notices, send a notice once more",
    "notices:read": "read which notices went out, and in which words",
    "bounces:write": "hand in mails that came back",
    "standings:write": "suspend, reinstate and revoke own awards",
    "standings:read": "read the history of the standing of own awards",
    "vault:read": "see which epochs of the key-encryption keys seal what",
    "vault:write": "re-wrap, destroy an epoch, apply erasures again, export and import sealed signing keys",
    "approvals:read": "see what waits for a second key's approval, and what was decided",
    "approvals:write": "approve or refuse what another key proposed",
    "audit:read": "read the history: operator and auditor that of the whole ledger, an institution its own",
}

_OPERATORS = frozenset({"institutions:write", "institutions:read", "vault:read", "vault:write"})
_OWNER = frozenset(SCOPES) - _OPERATORS
_READER = frozenset(scope for scope in _OWNER if scope.endswith(":read")) - {"audit:read"}

# What each role can hold; a key may hold less. `institution` is what `owner` was called at first, and means the same.
ROLE_SCOPES: Mapping[str, frozenset[str]] = {
    "operator": _OPERATORS | {"keys:write", "keys:read", "audit:read", "bounces:write"},
    "owner": _OWNER,
    "institution": _OWNER,
    "issuer": (_READER - {"keys:read"})
    | {"achievements:write", "awards:write", "results:write", "mappings:write", "jobs:write"},
    "reviewer": (_READER - {"keys:read"}) | {"approvals:write", "standings:write", "jobs:write"},
    "reader": _READER,
    "auditor": frozenset({"audit:read"}),
}
ROLES: Mapping[str, str] = {
    "operator": "runs the ledger: takes institutions in and decides about their lives; awards nothing",
    "owner": "everything of its institution, its keys and its policy too",
    "issuer": "defines achievements, records results and awards",
    "reviewer": "decides about the standing of awards, and approves what takes a second key",
    "reader": "reads what is its institution's, and changes nothing",
    "auditor": "reads the history: its institution's, or where the operator made the key the whole ledger's",
}
INSTITUTION_ROLES = ("owner", "issuer", "reviewer", "reader", "auditor")


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever holds an API key: which key, in which role, for which institution, and what it opens.

    `tenant` is the institution's id, None for operator and auditor. `active` is False for an institution that is
    suspended or closed: it may still read what is its own.
    """

    key_id: str
    role: str
    tenant: str | None
    scopes: frozenset[str]
    name: str
    active: bool = True

    @property
    def is_sandbox(self) -> bool:
        """Whether the key is one of a sandbox, whatever its text says."""
        return ids.is_sandbox(self.tenant)


def scopes_for(role: str, wished: Iterable[str] | None) -> list[str]:
    """The scopes of a new key, sorted; all of its role where none are wished.

    Raises Malformed with a pointer into `/scopes` for each that does not exist or that the role cannot hold.
    """
    allowed = ROLE_SCOPES[role]
    if wished is None:
        return sorted(allowed)
    named = list(wished)
    bad = [
        FieldError(f"/scopes/{index}", "There is no such scope" if scope not in SCOPES else f"Not for the role {role}")
        for index, scope in enumerate(named)
        if scope not in allowed
    ]
    if bad:
        raise Malformed("Some scopes cannot be given to this key.", errors=bad)
    return sorted(set(named))
