"""What revocation's handlers work with, opened once by the lifespan in `revocation.app`."""

from typing import Any

import msgspec
from litestar import Request

from ledger import errors
from ledger.access import Caller
from ledger.approvals import Approvals
from ledger.bus import Bus
from ledger.projector import Projector, caught_up
from ledger.settings import Settings
from ledger.store import Store, Wish
from ledger.web.authority import caller_of
from ledger.web.exchange import exchange
from ledger.web.wishes import WishKey
from ledger.wishing import wish_for
from revocation.lists.reading import Lists


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """The open parts of the service."""

    settings: Settings
    store: Store
    bus: Bus
    lists: Lists
    approvals: Approvals
    projectors: tuple[Projector, ...]

    def wish(self, request: Request[Any, Any, Any], key: WishKey) -> Wish:
        """The wish behind a request, for `store.decide`."""
        return wish_for(self.settings.server_secret, key, caller_of(request), exchange(request))

    async def caught_up(self) -> None:
        """Wait, for a bounded time, until our own tables have seen what the log holds now."""
        await caught_up(self.projectors, self.store)


def own_tenant(caller: Caller) -> str:
    """The caller's institution. Raises Forbidden for any other key: nobody else changes a standing."""
    if caller.tenant is None:
        raise errors.Forbidden("This needs a key of the institution itself.")
    return caller.tenant
