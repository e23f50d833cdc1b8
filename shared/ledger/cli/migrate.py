"""`credledger migrate`: the database's owner brings it to this release's schema."""

import asyncio

import asyncpg

from ledger import migrate as schema
from ledger.cli.failure import UNAVAILABLE, Failure
from ledger.cli.options import AsJson
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json
from ledger.store.revision import newest_revision


def migrate_schema(*, json: AsJson = False) -> None:
    """Bring the database to this release's schema. A second run changes nothing."""
    url = Place.here().owner_database_url()
    try:
        applied = asyncio.run(schema.migrate(url))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(
            f"The database cannot be migrated ({error}): CREDLEDGER_OWNER_DATABASE_URL must name its owner.",
            UNAVAILABLE,
        ) from error
    if json:
        say_json({"applied": applied, "revision": newest_revision()})
    else:
        say(f"Migrated to {applied[-1]}." if applied else "The schema is up to date.")
