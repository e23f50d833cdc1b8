"""`credledger rebuild`: drop a service's projections, fill them from the log, and show that nothing changed.

The ledger knows no service: a service is a package of that name whose module `commands` has
`async projections(store)`, the projections of its schema. It is found by name, at run time.
"""

import importlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ledger.cli.failure import USAGE, Failure
from ledger.cli.replay import opened
from ledger.projector import Projection, rebuild, table_hashes
from ledger.store import Store

SERVICES: Final = ("issuance", "registry", "revocation")


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """A service's tables before and after: SHA-256 of the rows of each."""

    service: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> list[str]:
        """The tables that came out otherwise."""
        return sorted(name for name in self.before | self.after if self.before.get(name) != self.after.get(name))


async def projections_of(service: str, store: Store) -> Sequence[Projection]:
    """The projections that a service brings, over this store. Raises Failure for a name that is none."""
    if service not in SERVICES:
        raise Failure(f"There is no service {service!r}: name {', '.join(SERVICES)}.", USAGE)
    try:
        commands: Any = importlib.import_module(f"{service}.commands")
    except ModuleNotFoundError as error:
        raise Failure(f"The service {service} is not installed here ({error.name} is missing).", USAGE) from error
    found: Sequence[Projection] = await commands.projections(store)
    return found


async def rebuild_service(service: str, database_url: str) -> Rebuilt:
    """Rebuild one service's tables and hash them before and after. Raises Failure."""
    store = await opened(database_url)
    try:
        projections = await projections_of(service, store)
        async with store.pool.acquire() as connection:
            before = await table_hashes(connection, projections[0].schema)
        return Rebuilt(service=service, before=before, after=await rebuild(projections, store))
    finally:
        await store.close()
