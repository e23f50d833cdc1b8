"""Identifiers come from meaning, so that a retry names the same thing (DESIGN §4).

A command id is derived from who asks for what with which idempotency key; the ids of what a command creates are
derived from the command id. Every input field is preceded by its length: no two wishes can run together.

A tenant's id says whether what it does counts: `inst_…` is an institution, `test_…` with the same characters its
sandbox. Nothing else says so, and everything that must tell them apart asks here.
"""

import base64
import hashlib
import hmac
from typing import Final
from uuid import UUID

INSTITUTION: Final = "inst"
SANDBOX: Final = "test"
TENANT_PATTERN: Final = rf"^(?:{INSTITUTION}|{SANDBOX})_[a-z2-7]{{26}}$"


def keyed(secret: bytes, purpose: str, *fields: str | bytes) -> bytes:
    """HMAC-SHA256 under `secret` over the purpose and each field with its length before it; 32 bytes."""
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for field in (purpose, *fields):
        raw = field.encode() if isinstance(field, str) else field
        mac.update(len(raw).to_bytes(8, "big"))
        mac.update(raw)
    return mac.digest()


def command_id(secret: bytes, tenant: str, route: str, key: str) -> UUID:
    """The command behind one idempotency key of one tenant on one route."""
    return UUID(bytes=keyed(secret, "credledger/command/v1", tenant, route, key)[:16])


def caused_command(secret: bytes, purpose: str, cause: str) -> UUID:
    """The command of a follower or an operator tool, named by what caused it."""
    return UUID(bytes=keyed(secret, "credledger/caused/v1", purpose, cause)[:16])


def text_id(prefix: str, raw: bytes) -> str:
    """`<prefix>_` and 26 lower-case base32 characters of the first 16 bytes."""
    return f"{prefix}_{base64.b32encode(raw[:16]).decode().rstrip('=').lower()}"


def derived_id(secret: bytes, prefix: str, command: UUID, label: str = "") -> str:
    """The id of what `command` creates; `label` tells several things of one command apart."""
    return text_id(prefix, keyed(secret, "credledger/id/v1", prefix, command.bytes, label))


def named_id(secret: bytes, prefix: str, name: str) -> str:
    """The id of something whose name may be taken only once, such as an institution's slug."""
    return text_id(prefix, keyed(secret, "credledger/name/v1", prefix, name))


def is_tenant(name: str) -> bool:
    """Whether a name is a tenant's id rather than a slug or a DID: neither holds an underscore there."""
    return name.startswith((f"{INSTITUTION}_", f"{SANDBOX}_"))


def is_sandbox(tenant: str | None) -> bool:
    """Whether a tenant is a sandbox, whose documents, events and answers say TEST."""
    return tenant is not None and tenant.startswith(f"{SANDBOX}_")


def sandbox_of(institution: str) -> str:
    """The id of an institution's sandbox."""
    return f"{SANDBOX}_{institution.removeprefix(f'{INSTITUTION}_')}"


def institution_behind(tenant: str) -> str:
    """The id of the institution that a sandbox belongs to; any other tenant's own id."""
    return f"{INSTITUTION}_{tenant.removeprefix(f'{SANDBOX}_')}" if is_sandbox(tenant) else tenant


def key_hash(secret: bytes, key: str) -> bytes:
    """How an idempotency key is remembered: keyed, because keys may hold names."""
    return keyed(secret, "credledger/request-key/v1", key)


def fingerprint(secret: bytes, *parts: bytes) -> bytes:
    """What a request said, so that the same key with another body is seen; keyed, because bodies hold names."""
    return keyed(secret, "credledger/fingerprint/v1", *parts)


def event_id(command: UUID, ordinal: int) -> str:
    """The id of the command's n-th event, counted from 0."""
    return f"{command}.{ordinal}"
