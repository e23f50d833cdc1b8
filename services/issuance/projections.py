"""Issuance's own view of the log: which institution, achievement, award and learner is where. Reads the store, since
only there an event's subject stands."""

from typing import Any

from ledger.codec import Seen
from ledger.events import AchievementPublished, Awarded, InstitutionCreated, IssuerKeyChanged, LearnerErased


class OwnEvents:
    """The projection `issuance`; its tables are in tables.sql."""

    name = "issuance"
    schema = "issuance"
    private = True

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what one event adds, on the projector's asyncpg connection."""
        thing = seen.stream.partition("/")[2]
        if seen.subject is not None:
            await connection.execute(SUBJECT_EVENT, seen.tenant, seen.subject, seen.position)
        match seen.event:
            case InstitutionCreated(slug=slug):
                await connection.execute(INSTITUTION, seen.tenant, slug, seen.position)
            case AchievementPublished(achievement_version=1):
                await connection.execute(ACHIEVEMENT, thing, seen.tenant, seen.position)
            case Awarded(achievement_id=achievement_id):
                row = (thing, seen.tenant, seen.subject, achievement_id, seen.position, seen.recorded_at)
                await connection.execute(AWARD, *row)
            case IssuerKeyChanged(change="compromised", key_id=key_id):
                await connection.execute(COMPROMISED, key_id, seen.position)
            case LearnerErased():
                await connection.execute(ERASURE, seen.tenant, seen.subject, seen.position)


SUBJECT_EVENT = "INSERT INTO issuance.subject_events VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
INSTITUTION = "INSERT INTO issuance.institutions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
ACHIEVEMENT = "INSERT INTO issuance.achievements VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
AWARD = "INSERT INTO issuance.awards VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
COMPROMISED = "INSERT INTO issuance.compromised_keys VALUES ($1, $2) ON CONFLICT DO NOTHING"
ERASURE = "INSERT INTO issuance.erasures VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
