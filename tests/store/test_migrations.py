"""Migrations: run twice, run at once, and what a service asks of them."""

import asyncio

import asyncpg
from alembic.script import ScriptDirectory
from tests.conftest import Database
from tests.servers import PostgresServer

from ledger import migrate
from ledger.store.revision import newest_revision, revisions, schema_revision

OLD_DOCUMENT = "INSERT INTO vault.documents VALUES ($1, 'inst', 'lrn', $2, '', '', '')"


async def empty(server: PostgresServer, name: str) -> str:
    owner = await asyncpg.connect(server.url())
    await owner.execute(f"DROP DATABASE IF EXISTS {name}")
    await owner.execute(f"CREATE DATABASE {name}")
    await owner.close()
    return server.url(name)


async def test_a_second_run_changes_nothing(postgres_server: PostgresServer) -> None:
    url = await empty(postgres_server, "migrated_twice")

    assert await migrate.migrate(url) == revisions()
    assert await migrate.migrate(url) == []


async def test_two_runs_at_once_migrate_once(postgres_server: PostgresServer) -> None:
    url = await empty(postgres_server, "migrated_at_once")
    owner = await asyncpg.connect(url)
    await owner.execute(f"CREATE TABLE IF NOT EXISTS {migrate.VERSIONS}")
    await owner.close()

    applied = await asyncio.gather(migrate.migrate(url), migrate.migrate(url))

    assert sorted(applied) == [[], revisions()]


async def test_documents_of_an_older_release_take_the_position_of_their_award(postgres_server: PostgresServer) -> None:
    url = await empty(postgres_server, "migrated_documents")
    await migrate.migrate(url, to="0002")
    owner = await asyncpg.connect(url)
    for position, award in ((7, "awd_one"), (9, "awd_two")):
        await owner.execute("INSERT INTO ledger.streams VALUES (0, $1, 1, $2, $2)", f"award/{award}", position)
        await owner.execute(OLD_DOCUMENT, award.encode(), award)

    assert await migrate.migrate(url) == [one for one in revisions() if one > "0002"]

    kept = await owner.fetch("SELECT award_id, position FROM vault.documents ORDER BY position")
    assert [tuple(row) for row in kept] == [("awd_one", 7), ("awd_two", 9)]
    await owner.close()


async def test_a_service_knows_the_schema_without_the_machinery(database: Database) -> None:
    pool = await asyncpg.create_pool(database.registry, min_size=1, max_size=1)

    assert await schema_revision(pool) == newest_revision()
    assert newest_revision() == ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()
    await pool.close()


async def test_partitions_are_made_ahead_of_the_head_and_only_once(postgres_server: PostgresServer) -> None:
    url = await empty(postgres_server, "partitioned")
    await migrate.migrate(url)

    assert await migrate.make_partitions_ahead(url) == []
    assert await migrate.make_partitions_ahead(url, 4) == [150_000_001, 200_000_001]
    owner = await asyncpg.connect(url)
    await owner.execute("UPDATE ledger.logs SET position = 249999999")  # as if that many events lay there
    assert await migrate.make_partitions_ahead(url) == [250_000_001, 300_000_001]
    await owner.close()


async def test_an_empty_database_has_no_revision(postgres_server: PostgresServer) -> None:
    pool = await asyncpg.create_pool(await empty(postgres_server, "never_migrated"), min_size=1, max_size=1)

    assert await schema_revision(pool) is None
    await pool.close()
