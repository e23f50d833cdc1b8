"""`credledger rebuild`: drop a service's projections, fill them from the log, and show that nothing changed.

The ledger knows no service: a service is a package of that name whose module `commands` has
`async projections(store)`, the projections of its schema. It is found by name, at run time.
"""

import asyncio
import importlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ledger.cli.failure import REFUSED, USAGE, Failure
from ledger.cli.options import AsJson
from ledger.cli.place import Place
from ledger.cli.replay import opened
from ledger.cli.speaking import say_json, say_table
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
    """The projections that a service brings, over this store. Raises Failure where it is not installed."""
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


def rebuild_services(*services: str, json: AsJson = False) -> int:
    """Drop and rebuild the projections of these services (all where none is named) and compare their tables' hashes.

    Readers see half-filled tables while it runs. Exit status 1 where a rebuilt table differs from what was there; what
    a running service had not yet applied differs too.
    """
    if unknown := [name for name in services if name not in SERVICES]:
        raise Failure(f"There is no service {unknown[0]!r}: name {', '.join(SERVICES)}.", USAGE)
    place = Place.here()
    done = [asyncio.run(rebuild_service(name, place.database_url(name))) for name in services or SERVICES]
    if json:
        say_json([{**msgspec.structs.asdict(one), "changed": one.changed} for one in done])
    else:
        rows = [
            {"service": one.service, "table": name, "before": one.before.get(name, "")[:16], "after": digest[:16],
             "equal": one.before.get(name) == digest}
            for one in done for name, digest in one.after.items()
        ]  # fmt: skip
        say_table(rows, ("service", "table", "before", "after", "equal"))
    return REFUSED if any(one.changed for one in done) else 0
