"""What issuance's handlers work with, opened once by the lifespan in `issuance.app`."""

import asyncio
import secrets
from typing import Any

import msgspec
from litestar import Request

from issuance.clock import now
from issuance.documents import Addresses
from issuance.erasure_list import ErasureList
from issuance.institutions import Institution, existing
from issuance.jobs.records import Records
from issuance.key_encryption import KeyEncryption
from issuance.leases import Leases
from issuance.notices.composing import Composing
from issuance.notices.sending import Sending
from issuance.signing import Signing
from issuance.traffic import Traffic
from ledger import errors, ids
from ledger.access import Caller, Keys, Tokens
from ledger.approvals import Approvals
from ledger.bus import Bus
from ledger.codec import Recorded
from ledger.keys import SigningKeys
from ledger.outbound import Outbound
from ledger.projector import Projector, caught_up
from ledger.relay import Relay
from ledger.settings import Settings
from ledger.store import Name, Store, Wish
from ledger.vault import Vault
from ledger.web.authority import caller_of
from ledger.web.exchange import exchange
from ledger.web.wishes import WishKey
from ledger.wishing import follow_up, wish_for

__all__ = ["Issuance", "draw", "now", "own_tenant"]


class Issuance(msgspec.Struct, frozen=True, kw_only=True):
    """The open parts of the service. Whoever judges what others signed holds `judging` meanwhile."""

    settings: Settings
    store: Store
    bus: Bus
    vault: Vault
    keys: SigningKeys
    key_encryption: KeyEncryption
    erasures: ErasureList
    api_keys: Keys
    tokens: Tokens
    leases: Leases
    signing: Signing
    addresses: Addresses
    outbound: Outbound
    approvals: Approvals
    projectors: tuple[Projector, ...]
    relay: Relay
    records: Records
    traffic: Traffic
    composing: Composing
    sending: Sending
    judging: asyncio.Semaphore = msgspec.field(default_factory=lambda: asyncio.Semaphore(1))

    def wish(self, request: Request[Any, Any, Any], key: WishKey, tenant: str | None = None) -> Wish:
        """The wish behind a request, for `store.decide`."""
        return wish_for(self.settings.server_secret, key, caller_of(request), exchange(request), tenant)

    def follow_up(self, wish: Wish, purpose: str, tenant: str | None = None) -> Wish:
        """A further command of the same wish."""
        return follow_up(self.settings.server_secret, wish, purpose, tenant)

    def external_name(self, tenant: str, kind: str, external_id: str) -> Name:
        """How an institution's own id of an award, a result … is claimed: by a keyed hash, as it may name a person."""
        return Name(
            tenant, kind, ids.keyed(self.settings.server_secret, "credledger/external-id/v1", kind, external_id)
        )

    async def institution(self, tenant: str) -> Institution:
        """The institution as the log has it now. Raises NotFound."""
        return existing(await self.store.load(f"institution/{tenant}"))

    async def history(self, stream: str, tenant: str, thing: str) -> list[Recorded]:
        """A stream of this tenant. Raises NotFound, also where it is another's."""
        history = await self.store.load(stream)
        if not history or history[0].tenant != tenant:
            raise errors.NotFound(f"There is no such {thing}.")
        return history

    async def caught_up(self) -> None:
        """Wait, for a bounded time, until our own tables have seen what the log holds now."""
        await caught_up(self.projectors, self.store)


def own_tenant(caller: Caller) -> str:
    """The caller's institution. Raises Forbidden for an operator's key, which writes for none."""
    if caller.tenant is None:
        raise errors.Forbidden("This needs a key of the institution itself.")
    return caller.tenant


def draw(size: int) -> bytes:
    """Random bytes from the system."""
    return secrets.token_bytes(size)
