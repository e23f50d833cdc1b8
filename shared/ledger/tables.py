"""A service's projection tables: laid out at its start, and laid out anew when a release defines them otherwise.

Projections hold nothing that the log and the vault do not hold, so a changed definition needs no migration: the tables
of the schema are dropped, and the projections fill them from the log again. What defines the tables is remembered as a
digest in `<schema>.definition`; where that is another one, or is missing beside tables, they are of another release.
"""

import hashlib
from importlib import resources
from typing import Any

import structlog

DEFINITION = "definition"

log = structlog.get_logger()


async def lay_out(pool: Any, schema: str, *definitions: str) -> bool:
    """Make the tables that `<schema>/tables.sql` and the further `definitions` (SQL) say, in the schema of that name;
    whether those of another release were dropped for it. Several processes may do so at once."""
    own = resources.files(schema).joinpath("tables.sql").read_text()
    statements = "\n".join((own, *definitions))
    digest = hashlib.sha256(statements.encode()).hexdigest()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {schema}.{DEFINITION} (digest text NOT NULL);"
            f" LOCK TABLE {schema}.{DEFINITION} IN ACCESS EXCLUSIVE MODE"
        )
        known = await connection.fetchval(f"SELECT digest FROM {schema}.{DEFINITION}")  # noqa: S608 - a service's name
        if known == digest:
            return False
        dropped = await _drop(connection, schema)
        await connection.execute(statements)
        await connection.execute(f"DELETE FROM {schema}.{DEFINITION}")  # noqa: S608 - likewise
        await connection.execute(f"INSERT INTO {schema}.{DEFINITION} VALUES ($1)", digest)  # noqa: S608 - likewise
    if dropped:
        log.info("projections are filled anew", schema=schema, tables=dropped)
    return bool(dropped)


async def tables_of(connection: Any, schema: str) -> list[str]:
    """The schema's tables that projections fill, by name."""
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", schema)
    return [row["tablename"] for row in rows if row["tablename"] != DEFINITION]


async def _drop(connection: Any, schema: str) -> list[str]:
    tables = await tables_of(connection, schema)
    if tables:
        await connection.execute("SELECT set_config('ledger.maintenance', 'on', true)")
        await connection.execute(f"DROP TABLE {', '.join(f'{schema}.{table}' for table in tables)}")
    return tables
