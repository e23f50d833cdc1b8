"""The rows of results and mappings in issuance's own view: part of the projection in `issuance.projections`."""

from typing import Any

from ledger.codec import Seen, parse_time
from ledger.events import MappingPublished, MappingWithdrawn, ResultCorrected, ResultRecorded, ResultWithdrawn


async def apply(connection: Any, seen: Seen, thing: str) -> None:
    """Write what an event about a result or a mapping adds; `thing` is its id."""
    match seen.event:
        case ResultRecorded(achievement_id=achievement_id, assessed_at=assessed_at, origin=origin):
            who = (thing, seen.tenant, seen.subject, achievement_id)
            await connection.execute(RESULT, *who, parse_time(assessed_at), origin, seen.position)
        case ResultCorrected(assessed_at=str(assessed_at)):
            await connection.execute(RESULT_MOVED, thing, parse_time(assessed_at))
        case ResultWithdrawn():
            await connection.execute(RESULT_ENDS, thing)
        case MappingPublished(source=source):
            await connection.execute(MAPPING, thing, seen.tenant, source, seen.position)
        case MappingWithdrawn():
            await connection.execute(MAPPING_ENDS, thing)


RESULT = """
INSERT INTO issuance.results (result_id, tenant, pseudonym, achievement_id, assessed_at, origin, position)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""
RESULT_MOVED = "UPDATE issuance.results SET assessed_at = $2 WHERE result_id = $1"
RESULT_ENDS = "UPDATE issuance.results SET withdrawn = true WHERE result_id = $1"
MAPPING = """
INSERT INTO issuance.mappings (mapping_id, tenant, source, position) VALUES ($1, $2, $3, $4)
ON CONFLICT (mapping_id) DO UPDATE SET source = excluded.source
"""
MAPPING_ENDS = "UPDATE issuance.mappings SET withdrawn = true WHERE mapping_id = $1"
