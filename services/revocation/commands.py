"""What revocation brings to `credledger`: its projections, for `credledger rebuild`."""

from collections.abc import Sequence

from ledger.cli.failure import UNAVAILABLE, Failure
from ledger.cli.place import Place
from ledger.events import LedgerOpened
from ledger.opening import STREAM
from ledger.projector import Projection
from ledger.store import Store
from revocation.app import projections_for


async def projections(store: Store) -> Sequence[Projection]:
    """The projections of the schema `revocation`. They sign, so they need the signing key-encryption key; the address
    that lists bear is the one that the log was opened with. Raises Failure."""
    for recorded in await store.load(STREAM):
        if isinstance(recorded.event, LedgerOpened):
            return projections_for(store, recorded.event.status_url, Place.here().keyring("SIGNING_KEK"))
    raise Failure("This ledger was not opened yet: start its services once.", UNAVAILABLE)
