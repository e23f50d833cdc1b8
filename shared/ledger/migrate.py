"""Bring a database to today's schema: Alembic keeps the books, the SQL is plain and lies in `store/sql`.

Runs as the database's owner, never as a service. A second run changes nothing. What may run twice at once is
serialised by Alembic's own version table, locked first.
"""

from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

MIGRATIONS = Path(str(resources.files("ledger.store"))) / "migrations"
MIGRATION_TIMEOUT_SECONDS = 300
PARTITION_POSITIONS = 50_000_000
PARTITIONS_AHEAD = 2
LOCK = "LOCK TABLE public.alembic_version IN ACCESS EXCLUSIVE MODE"
VERSIONS = "public.alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)"


def run_sql(name: str) -> None:
    """Run `store/sql/<name>.sql` inside the migration's transaction."""
    source = (resources.files("ledger.store") / "sql" / f"{name}.sql").read_text()
    bind = op.get_bind()
    bind.exec_driver_sql("SELECT 1")  # opens the transaction that the raw connection below then runs in
    raw: asyncpg.Connection = bind.connection.driver_connection
    await_only(raw.execute(source, timeout=MIGRATION_TIMEOUT_SECONDS))


async def migrate(database_url: str, to: str = "head") -> list[str]:
    """Apply what is missing, up to a revision, and return the revisions that were applied, oldest first.

    `database_url` is a PostgreSQL URL of the database's owner. Raises what asyncpg raises when it cannot be reached.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database_url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            applied = await connection.run_sync(_upgrade, to)
    finally:
        await engine.dispose()
    await make_partitions_ahead(database_url)
    return applied


async def make_partitions_ahead(database_url: str, ahead: int = PARTITIONS_AHEAD) -> list[int]:
    """Make what is missing of the partitions behind the one that is written now; their first positions.

    A log without a partition for its next position refuses every append, so there are always some more than needed.
    """
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(LOCK)
            head = await connection.fetchval("SELECT max(position) FROM ledger.logs")
            next_free = await connection.fetchval(NEXT_FREE)
            made = []
            while next_free <= (head // PARTITION_POSITIONS + 1 + ahead) * PARTITION_POSITIONS:
                await connection.execute(MAKE_PARTITION, next_free, next_free + PARTITION_POSITIONS)
                made.append(next_free)
                next_free += PARTITION_POSITIONS
            return made
    finally:
        await connection.close()


NEXT_FREE = """
SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''?(\\d+)''?\\)'))[1]::bigint)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger.events'::regclass
"""
MAKE_PARTITION = "SELECT ledger.make_partition($1, $2)"
ALTER_ROLE = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"


async def set_password(database_url: str, role: str, password: str) -> None:
    """Give a login role its password; the statement carries only the SCRAM verifier's input over this connection."""
    connection = await asyncpg.connect(database_url)
    try:
        statement = await connection.fetchval(ALTER_ROLE, role, password)
        await connection.execute("SET log_statement = 'none'")
        await connection.execute(statement)
    finally:
        await connection.close()


def _upgrade(connection: Connection, to: str) -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {VERSIONS}"))
    connection.execute(text(LOCK))
    before = MigrationContext.configure(connection).get_current_revision()
    command.upgrade(config, to)
    script = ScriptDirectory.from_config(config)
    return [revision.revision for revision in script.iterate_revisions(to, before)][::-1]


def url_of_role(database_url: str, role: str, password: str) -> str:
    """The same database's URL for another login role."""
    parts = urlsplit(database_url)
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parse_qs(parts.query) else ""
    return f"{parts.scheme}://{role}:{password}@{host}{parts.path}{query}"
