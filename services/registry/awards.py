"""Awards as anyone may read them: public facts only, never who was awarded nor where the credential lies."""

from datetime import datetime

import asyncpg
import msgspec


class HistoryEntry(msgspec.Struct, frozen=True):
    """Something that happened to an award. `effective` is when it holds in the world, `recorded_at` and `position`
    when this ledger knew; `leaf` is the transparency-log entry."""

    position: int
    type: str
    effective: datetime
    recorded_at: datetime
    reason_code: str | None
    authority: str | None  # the office that decided, never a person
    leaf: bytes


class Award(msgspec.Struct, frozen=True, kw_only=True):
    """An award's public facts. `standing` is valid, suspended or revoked; whether it has expired follows from
    `valid_until`. `keys` are the ids of the issuer's keys that sign its credential."""

    id: str
    position: int
    standing: str
    standing_since: datetime
    standing_position: int
    institution_id: str
    achievement_id: str
    achievement_version: int
    issued: datetime
    awarded_date: datetime
    valid_from: datetime
    valid_until: datetime | None
    keys: list[str]
    recorded_at: datetime
    leaf: bytes
    history: tuple[HistoryEntry, ...] = ()


class Awards:
    """Reads the projection."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, award_id: str) -> Award | None:
        """An award with its history, oldest fact first."""
        row = await self._pool.fetchrow(AWARD, award_id)
        if row is None:
            return None
        history = await self._pool.fetch(HISTORY, award_id)
        return Award(**row, history=tuple(HistoryEntry(**entry) for entry in history))

    async def unsigned_since(self, position: int) -> bool:
        """Whether an award recorded after this position has no document yet: it was just made, or erased."""
        found: bool = await self._pool.fetchval(UNSIGNED, position)
        return found


AWARD = """
SELECT award_id AS id, position, standing, standing_since, standing_position, institution_id, achievement_id,
  achievement_version, issued, awarded_date, valid_from, valid_until, keys, recorded_at, leaf
FROM registry.awards WHERE award_id = $1
"""
HISTORY = """
SELECT position, topic AS type, effective, recorded_at, reason_code, authority, leaf FROM registry.award_history
WHERE award_id = $1 ORDER BY position
"""
UNSIGNED = """
SELECT EXISTS (SELECT FROM registry.awards a WHERE a.position > $1
  AND NOT EXISTS (SELECT FROM vault.documents d WHERE d.award_id = a.award_id))
"""
