"""Issuance's own view of the log: which institution, achievement, award and learner is where. Reads the store, since
only there an event's subject stands."""

from typing import Any

from issuance import key_rows, result_rows
from issuance.jobs.rules import state_after
from ledger.codec import Seen, parse_time
from ledger.events import (
    AchievementPublished,
    AwardCorrected,
    Awarded,
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    InstitutionCreated,
    JobCancelled,
    JobChecked,
    JobCompleted,
    JobCreated,
    JobPaused,
    JobResumed,
    JobStarted,
    LearnerErased,
    LearnerUpdated,
    StandingChanged,
)

STANDINGS = {AwardRevoked: "revoked", AwardSuspended: "suspended", AwardReinstated: "valid"}


class OwnEvents:
    """The projection `issuance`; its tables are in tables.sql."""

    name = "issuance"
    schema = "issuance"
    private = True

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what one event adds, on the projector's asyncpg connection."""
        thing = seen.stream.partition("/")[2]
        if seen.subject is not None and not isinstance(seen.event, Awarded):  # an award says so with the rest
            await connection.execute(SUBJECT_EVENT, seen.tenant, seen.subject, seen.position)
        match seen.event:
            case InstitutionCreated(slug=slug):
                await connection.execute(INSTITUTION, seen.tenant, slug, seen.position)
            case AchievementPublished(achievement_version=1):
                await connection.execute(ACHIEVEMENT, thing, seen.tenant, seen.position)
            case Awarded() as event:
                row = (thing, seen.tenant, seen.subject, event.achievement_id, seen.position, seen.recorded_at)
                await connection.execute(AWARD, *row, parse_time(event.awarded_date))
            case AwardCorrected():
                whose = (thing, seen.tenant, seen.subject)
                await connection.execute(CORRECTION, seen.position, *whose, seen.recorded_at)
            case StandingChanged(award_id=award_id) as event:
                await connection.execute(STANDING, award_id, STANDINGS[type(event)])
            case LearnerUpdated():
                await connection.execute(UPDATED, seen.position, seen.recorded_at)
            case JobCreated(dry_run=dry_run):
                await connection.execute(JOB, thing, seen.tenant, dry_run, seen.position, seen.recorded_at)
            case JobChecked() | JobStarted() | JobPaused() | JobResumed() | JobCancelled() | JobCompleted():
                job = await connection.fetchrow(JOB_NOW, thing)
                after = state_after(seen.event, job["state"], checked=job["checked"], dry_run=job["dry_run"])
                await connection.execute(JOB_CHANGED, thing, *after, seen.recorded_at)
            case LearnerErased():
                await connection.execute(ERASURE, seen.tenant, seen.subject, seen.position)
        await result_rows.apply(connection, seen, thing)
        await key_rows.apply(connection, seen)


SUBJECT_EVENT = "INSERT INTO issuance.subject_events VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
INSTITUTION = "INSERT INTO issuance.institutions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
ACHIEVEMENT = "INSERT INTO issuance.achievements VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
AWARD = """
WITH subject AS (INSERT INTO issuance.subject_events VALUES ($2, $3, $5) ON CONFLICT DO NOTHING)
INSERT INTO issuance.awards VALUES ($1, $2, $3, $4, $5, $6, $7, 'valid') ON CONFLICT DO NOTHING
"""
STANDING = "UPDATE issuance.awards SET standing = $2 WHERE award_id = $1"
CORRECTION = "INSERT INTO issuance.corrections VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
JOB = "INSERT INTO issuance.jobs VALUES ($1, $2, 'checking', $3, false, $4, $5) ON CONFLICT DO NOTHING"
JOB_NOW = "SELECT state, checked, dry_run FROM issuance.jobs WHERE job_id = $1"
JOB_CHANGED = "UPDATE issuance.jobs SET state = $2, checked = $3, changed_at = $4 WHERE job_id = $1"
UPDATED = "INSERT INTO issuance.learner_updates VALUES ($1, $2) ON CONFLICT DO NOTHING"
ERASURE = "INSERT INTO issuance.erasures VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
