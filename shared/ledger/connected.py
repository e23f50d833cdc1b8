"""The two connections of a service process, opened together and closed in order, whatever happens in between.

Before they are handed out, what must not differ is compared: the JSON-LD contexts with their digests, the database's
schema with this release's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger import contexts
from ledger.bus import Bus
from ledger.settings import Settings
from ledger.store import Store
from ledger.store.revision import newest_revision, schema_revision


class SchemaDiffers(Exception):
    """The database is at another release's schema, or at none yet."""


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Bus, Store]]:
    """The bus (which may still be away) and the store of a service; appends of others wake its followers.

    Raises SchemaDiffers while migrations have not run, and what asyncpg raises while the database is away.
    """
    contexts.check()
    bus = await Bus.connect(settings, settings.service)
    try:
        store = await Store.open(settings.database_url, hint=bus.hint)
        try:
            await bus.on_hint(lambda _: store.wake())
            found, wanted = await schema_revision(store.pool), newest_revision()
            if found != wanted:
                raise SchemaDiffers(f"the database is at schema {found}, this release wants {wanted}")
            yield bus, store
        finally:
            await store.close()
    finally:
        await bus.close()
