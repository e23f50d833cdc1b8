"""From a request to a `Wish`: what handlers hand to `store.decide`."""

from ledger import ids
from ledger.access import Caller
from ledger.codec import Actor
from ledger.events import LEDGER_TENANT
from ledger.store import Request, Wish
from ledger.web.exchange import Exchange
from ledger.web.wishes import WishKey


def wish_for(secret: bytes, key: WishKey, caller: Caller, at: Exchange, tenant: str | None = None) -> Wish:
    """The wish behind an HTTP request. `tenant` is whose facts are written, where it is not the caller's own."""
    return Wish(
        tenant=tenant or caller.tenant or LEDGER_TENANT,
        command=ids.command_id(secret, key.tenant, key.route, key.key),
        actor=Actor(key=caller.key_id, role=caller.role, request=at.request_id),
        request=Request(
            tenant=key.tenant,
            route=key.route,
            key_hash=ids.key_hash(secret, key.key),
            fingerprint=ids.fingerprint(secret, key.said),
        ),
        person=at.decided_by,
    )


def follow_up(secret: bytes, wish: Wish, purpose: str, tenant: str | None = None) -> Wish:
    """A further command of the same wish, on another stream, that a retry completes."""
    return Wish(
        tenant=tenant or wish.tenant,
        command=ids.caused_command(secret, purpose, str(wish.command)),
        actor=wish.actor,
        person=wish.person,
    )
