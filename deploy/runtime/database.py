"""The schema and the login roles, before any service starts: made by the database's owner, never by a service."""

import asyncio

import asyncpg

from ledger.migrate import migrate, set_password, url_of_role

from .postgres import DATABASE, Postgres
from .refusal import FAILED, Refusal
from .secrets import ROLES, read_secret
from .settings import Settings
from .state import State

PREPARE_SECONDS = 120


def owner_url(settings: Settings, postgres: Postgres | None) -> str:
    """The database's URL for its owner, who migrates (a secret)."""
    return postgres.url("superuser") if postgres else settings.database_url or ""


def role_url(settings: Settings, state: State, postgres: Postgres | None, role: str) -> str:
    """The database's URL for a service's role (a secret), in the embedded server or the one of the settings."""
    if postgres:
        return postgres.url(role)
    return url_of_role(settings.database_url or "", role, read_secret(state, f"postgres-{role}"))


async def prepare_database(settings: Settings, state: State, postgres: Postgres | None) -> list[str]:
    """Bring the schema up to date, give each role its password; the revisions that were applied.

    Raises Refusal when the database cannot be reached or refuses.
    """
    owner = owner_url(settings, postgres)
    try:
        async with asyncio.timeout(PREPARE_SECONDS):
            if postgres:
                await _make_database(postgres)
            applied = await migrate(owner)
            for role in ROLES:
                await set_password(owner, role, read_secret(state, f"postgres-{role}"))
            return applied
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        where = "the embedded PostgreSQL" if postgres else "the database of CREDLEDGER_DATABASE_URL"
        raise Refusal(f"The schema could not be brought up to date on {where}: {error}", FAILED) from error


async def _make_database(postgres: Postgres) -> None:
    """The ledger's own database, made once: `postgres` is for the operator's tools."""
    connection = await asyncpg.connect(postgres.url("superuser", "postgres"))
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
