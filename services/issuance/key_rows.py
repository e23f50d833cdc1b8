"""The rows of signing keys in issuance's own view: part of the projection in `issuance.projections`."""

from typing import Any

from ledger.codec import Seen
from ledger.events import IssuerKeyChanged, KeyScheduleSet, ReissueCompleted, ReissueOrdered


async def apply(connection: Any, seen: Seen) -> None:
    """Write what an event about signing keys changes."""
    match seen.event:
        case IssuerKeyChanged(change="compromised", key_id=key_id):
            await connection.execute(COMPROMISED, key_id, seen.position)
        case KeyScheduleSet(every_days=None):
            await connection.execute(UNSCHEDULED, seen.tenant)
        case KeyScheduleSet():
            await connection.execute(SCHEDULED, seen.tenant, seen.position)
        case ReissueOrdered(key_id=key_id):
            await connection.execute(REISSUE, key_id, seen.tenant, seen.position)
        case ReissueCompleted(key_id=key_id):
            await connection.execute(REISSUED, key_id)


COMPROMISED = "INSERT INTO issuance.compromised_keys VALUES ($1, $2) ON CONFLICT DO NOTHING"
SCHEDULED = """
INSERT INTO issuance.key_schedules VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET position = excluded.position
"""
UNSCHEDULED = "DELETE FROM issuance.key_schedules WHERE tenant = $1"
REISSUE = "INSERT INTO issuance.reissues VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
REISSUED = "DELETE FROM issuance.reissues WHERE key_id = $1"
