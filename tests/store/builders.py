"""Stores and wishes for tests of the store."""

from datetime import UTC, datetime

from ledger import ids
from ledger.codec import Actor, Fact
from ledger.events import Event, KeyCreated
from ledger.store import Request, Wish

SECRET = b"s" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTOR = Actor(key="key_test", role="institution")
TENANT = "inst_aaaaaaaaaaaaaaaaaaaaaaaaaa"


def wish(key: str, body: bytes = b"{}", *, tenant: str = TENANT, route: str = "POST /v1/things") -> Wish:
    """The wish of a request with this idempotency key and body."""
    return Wish(
        tenant=tenant,
        command=ids.command_id(SECRET, tenant, route, key),
        actor=ACTOR,
        request=Request(tenant, route, ids.key_hash(SECRET, key), ids.fingerprint(SECRET, body)),
    )


def event(name: str = "one") -> Event:
    """Some event that issuance may append."""
    return KeyCreated(key_id=f"key_{name}", name=name, role="institution", scopes=[], secret_hash="00")


def fact(name: str = "one") -> Fact:
    return Fact(event=event(name), at=NOON)
