"""The list of approvals as a service keeps it: a projection of the log, without anything personal."""

import re
from typing import Any, Literal

from ledger.codec import Seen
from ledger.events import (
    ApprovalGiven,
    ApprovalRefused,
    Awarded,
    AwardProposed,
    StandingChanged,
    StandingProposed,
)


def approval_tables(schema: str) -> str:
    """The DDL of the projection in `schema`. `decides` is the institution whose keys decide, `award_id` what came of an
    approved proposal."""
    _check_schema(schema)
    return f"""
CREATE TABLE IF NOT EXISTS {schema}.approvals (
  approval_id text COLLATE "C" PRIMARY KEY, decides text COLLATE "C" NOT NULL, position bigint NOT NULL,
  status text NOT NULL DEFAULT 'open', decided_at timestamptz, award_id text COLLATE "C");
CREATE INDEX IF NOT EXISTS approvals_decides ON {schema}.approvals (decides, position);
"""


class ApprovalProjection:
    """Follows the proposals of one category, `award` or `standing`, into `<schema>.approvals`."""

    name = "approvals"
    private = False

    def __init__(self, schema: str, category: Literal["award", "standing"]) -> None:
        _check_schema(schema)
        self.schema, self._category = schema, category

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what the event changes, on the projector's asyncpg connection."""
        category, _, thing = seen.stream.partition("/")
        if category != self._category:
            return
        match seen.event:
            case AwardProposed():
                await self._proposed(connection, thing, seen.tenant, seen.position)
            case StandingProposed(decides=decides):
                await self._proposed(connection, thing, decides, seen.position)
            case ApprovalGiven():
                await self._decided(connection, thing, "approved", seen)
            case ApprovalRefused():
                await self._decided(connection, thing, "refused", seen)
            case Awarded(approval=str() as approval):
                await self._made(connection, approval, thing)
            case StandingChanged(approval=str() as approval, award_id=award_id):
                await self._made(connection, approval, award_id)

    async def _proposed(self, connection: Any, approval: str, decides: str, position: int) -> None:
        await connection.execute(
            f"INSERT INTO {self.schema}.approvals (approval_id, decides, position) VALUES ($1, $2, $3)"  # noqa: S608 - the schema name is checked above
            " ON CONFLICT DO NOTHING",
            *(approval, decides, position),
        )

    async def _decided(self, connection: Any, approval: str, status: str, seen: Seen) -> None:
        await connection.execute(
            f"UPDATE {self.schema}.approvals SET status = $2, decided_at = $3 WHERE approval_id = $1",  # noqa: S608
            *(approval, status, seen.recorded_at),
        )

    async def _made(self, connection: Any, approval: str, award_id: str) -> None:
        await connection.execute(
            f"UPDATE {self.schema}.approvals SET award_id = $2 WHERE approval_id = $1",  # noqa: S608
            *(approval, award_id),
        )


def _check_schema(schema: str) -> None:
    if not re.fullmatch(r"[a-z_]+", schema):
        raise ValueError(f"{schema!r} is not a schema name")
