"""Issuers as anyone may read them: the profile, and every key with what became of it when, from the projection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from registry.projections import plain


class KeyChange(msgspec.Struct, frozen=True):
    """One fact about a key: added, retired or compromised; `effective` is when it holds, `position` what proves it."""

    change: str
    effective: datetime
    recorded_at: datetime
    position: int


class IssuerKey(msgspec.Struct, frozen=True):
    """A verification method of an issuer. `public_key` is multibase with the multicodec inside."""

    id: str
    verification_method: str
    algorithm: str
    public_key: str
    active: bool
    history: tuple[KeyChange, ...]

    def change(self, name: str) -> KeyChange | None:
        """The first such change."""
        return next((c for c in self.history if c.change == name), None)


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's public profile. `position` is that of the event that made it, `version` counts its changes."""

    id: str
    slug: str
    did: str
    name: str
    url: str
    email: str | None
    description: str | None
    country: str | None
    status_profile: str
    demo: bool
    active: bool
    position: int
    recorded_at: datetime
    version: int
    keys: tuple[IssuerKey, ...] = ()


class Issuers:
    """Reads the projection."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, name: str) -> Issuer | None:
        """The issuer with this id, slug or DID, with its keys."""
        column = "did" if name.startswith("did:") else "institution_id" if name.startswith("inst_") else "slug"
        row = await self._pool.fetchrow(f"{ISSUER} WHERE {column} = $1", name)
        return None if row is None else (await self._with_keys([row]))[0]

    async def read_page(self, after: int, limit: int) -> list[Issuer]:
        """Up to `limit` issuers made after position `after`, oldest first, with their keys."""
        rows = await self._pool.fetch(f"{ISSUER} WHERE position > $1 ORDER BY position LIMIT $2", after, limit)
        return await self._with_keys(rows)

    async def named(self, name: str) -> Issuer | None:
        """The oldest active issuer whose name reads like this one."""
        query = f"{ISSUER} WHERE plain_name = $1 AND active ORDER BY position LIMIT 1"
        row = await self._pool.fetchrow(query, plain(name))
        return None if row is None else (await self._with_keys([row]))[0]

    async def _with_keys(self, rows: Sequence[Any]) -> list[Issuer]:
        changes = await self._pool.fetch(KEYS, [row["id"] for row in rows])
        return [
            Issuer(**row, keys=keys_of(row["did"], (c for c in changes if c["institution_id"] == row["id"])))
            for row in rows
        ]


def keys_of(did: str, changes: Iterable[Any]) -> tuple[IssuerKey, ...]:
    """The keys behind an institution's key changes, which come in position order."""
    grouped: dict[str, list[Any]] = {}
    for change in changes:
        grouped.setdefault(change["key_id"], []).append(change)
    return tuple(
        IssuerKey(
            id=key_id,
            verification_method=f"{did}#{key_id}",
            algorithm=rows[0]["algorithm"],
            public_key=rows[0]["public_key"],
            active=all(row["change"] == "added" for row in rows),
            history=tuple(KeyChange(r["change"], r["effective"], r["recorded_at"], r["position"]) for r in rows),
        )
        for key_id, rows in grouped.items()
    )


ISSUER = """
SELECT institution_id AS id, slug, did, name, url, email, description, country, status_profile, demo, active, position,
  recorded_at, version
FROM registry.institutions
"""
KEYS = """
SELECT institution_id, key_id, change, algorithm, public_key, effective, recorded_at, position
FROM registry.issuer_keys WHERE institution_id = ANY($1) ORDER BY position
"""
