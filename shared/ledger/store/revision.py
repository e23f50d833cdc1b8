"""Which schema a database is at and which one this release wants, without the machinery that migrates (that is
`ledger.migrate`): services ask at every start."""

from importlib import resources

import asyncpg


async def schema_revision(pool: asyncpg.Pool) -> str | None:
    """The revision that the database is at, or None before the first migration."""
    if await pool.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    revision: str | None = await pool.fetchval("SELECT version_num FROM public.alembic_version")
    return revision


def revisions() -> list[str]:
    """The revisions that this release knows, oldest first: migrations are files named `<revision>_<what>.py`."""
    versions = resources.files("ledger.store") / "migrations" / "versions"
    return sorted(file.name.partition("_")[0] for file in versions.iterdir() if file.name[:4].isdecimal())


def newest_revision() -> str:
    """The revision that this release wants."""
    return revisions()[-1]
