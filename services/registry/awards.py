"""Awards as anyone may read them: public facts only, never who was awarded nor where the credential lies."""

from datetime import datetime

import asyncpg
import msgspec

from ledger.events import AwardCorrected

HIDDEN, PUBLIC = "hidden", "public"  # the learner's own word on an award's page (award.publication_set)


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


class Renewed(msgspec.Struct, frozen=True):
    """A later award of the same achievement to the same learner that renews this one."""

    id: str
    position: int
    recorded_at: datetime
    standing: str


class Award(msgspec.Struct, frozen=True, kw_only=True):
    """An award's public facts. `standing` is valid, suspended or revoked; whether it has expired follows from
    `valid_until`. `issued`, `valid_from`, `valid_until` and `keys`, the ids of the keys that sign, are those of
    its newest credential; `position` and `leaf` those of the award itself. `renews` is the award that this one renews,
    `renewed_by` are those that renew it, oldest first, `renew_by` is when it should be renewed."""

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
    renews: str | None
    renew_by: datetime | None
    renewed_by: tuple[Renewed, ...] = ()
    history: tuple[HistoryEntry, ...] = ()

    @property
    def corrections(self) -> list[HistoryEntry]:
        """The events that gave it a new credential, oldest first."""
        return [entry for entry in self.history if entry.type == AwardCorrected.TOPIC]

    def replacement(self, position: int) -> HistoryEntry | None:
        """The correction that replaced the credential recorded at a position, None for the newest one."""
        return next((entry for entry in self.corrections if entry.position > position), None)


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
        renewed_by = await self._pool.fetch(RENEWED_BY, award_id)
        return Award(
            **row,
            renewed_by=tuple(Renewed(**entry) for entry in renewed_by),
            history=tuple(HistoryEntry(**entry) for entry in history),
        )

    async def visibility(self, award_id: str) -> str:
        """Who may see the award's page, by its learner's own word: hidden, unlisted (where none was said) or public."""
        found: str | None = await self._pool.fetchval(VISIBILITY, award_id)
        return found or "unlisted"

    async def unsigned_since(self, position: int) -> bool:
        """Whether an award or a correction recorded after this position has no document yet: it was just made, or
        erased."""
        found: bool = await self._pool.fetchval(UNSIGNED, position)
        return found


AWARD = """
SELECT award_id AS id, position, standing, standing_since, standing_position, institution_id, achievement_id,
  achievement_version, issued, awarded_date, valid_from, valid_until, keys, recorded_at, leaf, renews, renew_by
FROM registry.awards LEFT JOIN registry.renewals USING (award_id) WHERE award_id = $1
"""
HISTORY = """
SELECT position, topic AS type, effective, recorded_at, reason_code, authority, leaf FROM registry.award_history
WHERE award_id = $1 ORDER BY position
"""
VISIBILITY = "SELECT visibility FROM registry.publications WHERE award_id = $1"
RENEWED_BY = """
SELECT award_id AS id, position, recorded_at, standing FROM registry.renewals JOIN registry.awards USING (award_id)
WHERE renews = $1 ORDER BY position
"""
UNSIGNED = """
SELECT EXISTS (
  SELECT FROM (
    SELECT position FROM registry.awards WHERE position > $1
    UNION ALL
    SELECT position FROM registry.award_history WHERE topic = 'award.corrected' AND position > $1) i
  WHERE NOT EXISTS (SELECT FROM vault.documents d WHERE d.position = i.position))
"""
