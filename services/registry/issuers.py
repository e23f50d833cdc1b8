"""Issuers as anyone may read them: the profile, and every key with what became of it when, from the projection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ledger import ids
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


class Successor(msgspec.Struct, frozen=True):
    """The institution that decides about the awards of one that is closed."""

    id: str
    slug: str
    name: str


class LifeTurn(msgspec.Struct, frozen=True):
    """A turn of an institution's life: suspended, reinstated, renamed, moved, merged or closed; why, and on whose
    authority (both null where the institution itself changed its name)."""

    change: str
    recorded_at: datetime
    position: int
    reason_code: str | None
    authority: str | None
    name: str | None
    previous_name: str | None
    did: str | None
    previous_did: str | None


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's public profile. `state` is active, suspended or closed; `successor` decides about the awards
    of a closed one; former names and DIDs come latest first, and the DIDs stay resolvable. `position` is that of the
    event that made it, `version` counts its changes."""

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
    state: str
    position: int
    recorded_at: datetime
    version: int
    keys: tuple[IssuerKey, ...] = ()
    successor: Successor | None = None
    former_names: tuple[str, ...] = ()
    former_dids: tuple[str, ...] = ()
    life: tuple[LifeTurn, ...] = ()

    def under(self, did: str) -> "Issuer":
        """The same institution, its keys named under one of its DIDs; for a former one only the keys of that time."""
        if did == self.did:
            return self
        left = max(turn.position for turn in self.life if turn.previous_did == did)
        keys = tuple(
            msgspec.structs.replace(key, verification_method=f"{did}#{key.id}")
            for key in self.keys
            if key.history[0].position < left
        )
        return msgspec.structs.replace(self, did=did, keys=keys)

    @property
    def is_sandbox(self) -> bool:
        return ids.is_sandbox(self.id)


class Issuers:
    """Reads the projection."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, name: str) -> Issuer | None:
        """The issuer with this id, slug, or DID of now or before, with its keys as they are named now."""
        if name.startswith("did:"):
            row = await self._pool.fetchrow(f"{ISSUER} WHERE {OF_DID}", name)
        else:
            column = "institution_id" if ids.is_tenant(name) else "slug"
            row = await self._pool.fetchrow(f"{ISSUER} WHERE {column} = $1", name)
        return None if row is None else (await self._with_keys([row]))[0]

    async def read_page(self, after: int, limit: int) -> list[Issuer]:
        """Up to `limit` issuers made after position `after`, oldest first, with their keys; no sandboxes."""
        rows = await self._pool.fetch(
            f"{ISSUER} WHERE position > $1 AND {LIVE} ORDER BY position LIMIT $2", after, limit
        )
        return await self._with_keys(rows)

    async def named(self, name: str) -> Issuer | None:
        """The oldest active issuer whose name reads like this one, and no sandbox."""
        query = f"{ISSUER} WHERE plain_name = $1 AND active AND {LIVE} ORDER BY position LIMIT 1"
        row = await self._pool.fetchrow(query, plain(name))
        return None if row is None else (await self._with_keys([row]))[0]

    async def _with_keys(self, rows: Sequence[Any]) -> list[Issuer]:
        ids = [row["id"] for row in rows]
        changes, turns = await self._pool.fetch(KEYS, ids), await self._pool.fetch(LIFE, ids)
        heirs = [turn["successor"] for turn in turns if turn["successor"]]
        named = {row["id"]: Successor(**row) for row in (await self._pool.fetch(HEIRS, heirs) if heirs else [])}
        return [
            _issuer(
                row,
                [change for change in changes if change["institution_id"] == row["id"]],
                [turn for turn in turns if turn["institution_id"] == row["id"]],
                named,
            )
            for row in rows
        ]


def _issuer(row: Any, changes: Sequence[Any], turns: Sequence[Any], heirs: dict[str, Successor]) -> Issuer:
    closed = [turn for turn in turns if turn["change"] in ("closed", "merged")]
    fields = LifeTurn.__struct_fields__
    return Issuer(
        **row,
        state="active" if row["active"] else "closed" if closed else "suspended",
        keys=keys_of(row["did"], changes),
        successor=heirs.get(closed[-1]["successor"]) if closed else None,
        former_names=_former(row["name"], (turn["previous_name"] for turn in turns)),
        former_dids=_former(row["did"], (turn["previous_did"] for turn in turns)),
        life=tuple(LifeTurn(**{field: turn[field] for field in fields}) for turn in turns),
    )


def _former(now: str, before: Iterable[str | None]) -> tuple[str, ...]:
    """Each earlier one once, the latest first."""
    known = [one for one in before if one is not None and one != now]
    return tuple(dict.fromkeys(reversed(known)))


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


LIVE = "NOT starts_with(institution_id, 'test_')"
ISSUER = """
SELECT institution_id AS id, slug, did, name, url, email, description, country, status_profile, demo, active, position,
  recorded_at, version
FROM registry.institutions
"""
OF_DID = """did = $1 OR institution_id = (
  SELECT institution_id FROM registry.institution_life WHERE previous_did = $1 ORDER BY position LIMIT 1)
ORDER BY (did = $1) DESC LIMIT 1"""
LIFE = "SELECT * FROM registry.institution_life WHERE institution_id = ANY($1) ORDER BY position"
HEIRS = "SELECT institution_id AS id, slug, name FROM registry.institutions WHERE institution_id = ANY($1)"
KEYS = """
SELECT institution_id, key_id, change, algorithm, public_key, effective, recorded_at, position
FROM registry.issuer_keys WHERE institution_id = ANY($1) ORDER BY position
"""
