"""The outbox: one row a notice, written in the same transaction as the position that was read. It follows from the log
alone, is rebuilt at will, and holds nothing personal.

States: `due` (to be sent from `not_before` on), `sent`, `failed`, `bounced`, `withheld` (notices were off, the award
was revoked before its learner was to be told, or it was renewed or corrected in time), `erased`. `notices` never
changes once written: whoever sends locks rows there, and the follower, which writes to `notice_states`, never waits
for a mail.
"""

from datetime import datetime
from typing import Any

from issuance.notices.rules import RENEWAL_AHEAD, notice_id_for
from ledger.codec import Seen, parse_time
from ledger.events import (
    AwardCorrected,
    Awarded,
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    EmailProven,
    LearnerErased,
    LearnerJoined,
    NoticeBounced,
    NoticeFailed,
    NoticeRequested,
    NoticeSent,
    NoticeSettingsSet,
    StandingChanged,
)

CHANGES = {AwardSuspended: "suspended", AwardReinstated: "reinstated", AwardRevoked: "revoked"}


class Outbox:
    """The projection `notices`; its tables are in tables.sql."""

    name = "notices"
    schema = "issuance"
    private = True

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what one event adds, on the projector's asyncpg connection."""
        match seen.event:
            case Awarded() as event:
                await _awarded(connection, seen, event)
            case StandingChanged() as event:
                await _changed(connection, seen, event.award_id, CHANGES[type(event)])
            case AwardCorrected() as event:
                await _corrected(connection, seen, event)
            case NoticeRequested(award_id=award_id, kind=kind, notice_id=first):
                notice = notice_id_for("copy", seen.leaf)
                await connection.execute(COPY, notice, award_id, kind, seen.position, seen.recorded_at, first)
            case NoticeSent(notice_id=notice_id):
                await connection.execute(STATE, notice_id, "sent", None, seen.position)
            case NoticeFailed(notice_id=notice_id, reason_code=reason):
                await connection.execute(STATE, notice_id, "failed", reason, seen.position)
            case NoticeBounced(notice_id=notice_id, status=status):
                await connection.execute(STATE, notice_id, "bounced", status, seen.position)
                await connection.execute(BOUNCE, seen.tenant, seen.subject, seen.position)
            case NoticeSettingsSet() as event:
                until = parse_time(event.not_before) if event.not_before else None
                await connection.execute(SETTINGS, seen.tenant, event.enabled, until)
                await connection.execute(RESETTLED, seen.tenant, event.enabled, until, seen.position)
            case EmailProven():
                await connection.execute(PROOF, seen.tenant, seen.subject, seen.position)
            case LearnerJoined(person=person):
                await connection.execute(PERSON, seen.tenant, seen.subject, person)
            case LearnerErased():
                for statement in (ERASED, NO_BOUNCES, NO_PROOFS, NO_PERSON):
                    await connection.execute(statement, seen.tenant, seen.subject)


async def _awarded(connection: Any, seen: Seen, event: Awarded) -> None:
    award_id = seen.stream.partition("/")[2]
    earliest = _later(seen.recorded_at, event.notify_after)
    whose = (seen.tenant, seen.subject, award_id)
    notice = (notice_id_for("awarded", seen.leaf), *whose, "awarded", seen.position, earliest, earliest, None)
    await connection.execute(NOTICE, *notice)
    if event.renew_by is not None:
        await _renewal(connection, seen, award_id, earliest, event.renew_by)
    if event.renews is not None:
        await connection.execute(NO_RENEWAL, event.renews, "renewed", seen.position)


async def _corrected(connection: Any, seen: Seen, event: AwardCorrected) -> None:
    award_id = seen.stream.partition("/")[2]
    await _changed(connection, seen, award_id, "corrected")
    told = await connection.fetchval(RENEWAL, award_id)
    if told == (parse_time(event.renew_by) if event.renew_by else None):
        return
    await connection.execute(NO_RENEWAL, award_id, "corrected", seen.position)
    if event.renew_by is not None:
        await _renewal(connection, seen, award_id, seen.recorded_at, event.renew_by)


async def _renewal(connection: Any, seen: Seen, award_id: str, earliest: datetime, renew_by: str) -> None:
    until = parse_time(renew_by)
    ahead = max(earliest, until - RENEWAL_AHEAD)
    whose = (seen.tenant, seen.subject, award_id)
    notice = (notice_id_for("renewal", seen.leaf), *whose, "renewal", seen.position, earliest, ahead, until)
    await connection.execute(NOTICE, *notice)


async def _changed(connection: Any, seen: Seen, award_id: str, kind: str) -> None:
    if kind == "revoked":  # who was not told yet need not hear of it at all
        await connection.execute(UNTOLD, award_id, seen.recorded_at, seen.position)
    await connection.execute(CHANGED, notice_id_for(kind, seen.leaf), award_id, kind, seen.position, seen.recorded_at)


def _later(moment: datetime, other: str | None) -> datetime:
    return moment if other is None else max(moment, parse_time(other))


_INSERT = """
WITH row AS (SELECT {fields}),
made AS (
  INSERT INTO issuance.notices (notice_id, tenant, pseudonym, award_id, kind, cause, earliest, copy_of, renew_by)
  SELECT id, tenant, pseudonym, award_id, kind, cause, earliest, copy_of, renew_by FROM row ON CONFLICT DO NOTHING)
INSERT INTO issuance.notice_states (notice_id, tenant, award_id, state, not_before, reason, position)
SELECT id, tenant, award_id, CASE WHEN reason IS NULL THEN 'due' ELSE 'withheld' END, not_before, reason, cause
FROM row ON CONFLICT DO NOTHING
"""
NOTICE = _INSERT.format(
    fields="""
  $1::text AS id, $2::text AS tenant, $3::text AS pseudonym, $4::text AS award_id, $5::text AS kind,
  $6::bigint AS cause, $7::timestamptz AS earliest, NULL::text AS copy_of, $9::timestamptz AS renew_by,
  greatest($8::timestamptz, s.not_before) AS not_before, CASE WHEN NOT s.enabled THEN 'disabled' END AS reason
  FROM (SELECT) one LEFT JOIN issuance.notice_settings s ON s.tenant = $2"""
)
CHANGED = _INSERT.format(
    fields="""
  $1::text AS id, a.tenant, a.pseudonym, a.award_id, $3::text AS kind, $4::bigint AS cause,
  greatest(a.earliest, $5::timestamptz) AS earliest, NULL::text AS copy_of,
  NULL::timestamptz AS renew_by, greatest(a.earliest, $5::timestamptz, s.not_before) AS not_before,
  CASE WHEN NOT s.enabled THEN 'disabled' WHEN st.reason = 'revoked_before' THEN st.reason END AS reason
  FROM issuance.notices a JOIN issuance.notice_states st USING (notice_id)
  LEFT JOIN issuance.notice_settings s ON s.tenant = a.tenant
  WHERE a.award_id = $2 AND a.kind = 'awarded' AND a.copy_of IS NULL"""
)
COPY = _INSERT.format(
    fields="""
  $1::text AS id, a.tenant, a.pseudonym, a.award_id, $3::text AS kind, $4::bigint AS cause,
  $5::timestamptz AS earliest, $6::text AS copy_of, a.renew_by, $5::timestamptz AS not_before, NULL::text AS reason
  FROM issuance.notices a WHERE a.award_id = $2 AND a.notice_id = $6"""
)
STATE = "UPDATE issuance.notice_states SET state = $2, reason = $3, position = $4 WHERE notice_id = $1"
UNTOLD = """
UPDATE issuance.notice_states SET state = 'withheld', reason = 'revoked_before', position = $3
WHERE award_id = $1 AND state = 'due' AND not_before > $2
"""
RENEWAL = """
SELECT renew_by FROM issuance.notices n JOIN issuance.notice_states s USING (notice_id)
WHERE n.award_id = $1 AND n.kind = 'renewal' AND n.copy_of IS NULL AND s.reason IS NULL ORDER BY n.cause DESC LIMIT 1
"""
NO_RENEWAL = """
UPDATE issuance.notice_states s SET state = 'withheld', reason = $2, position = $3 FROM issuance.notices n
WHERE n.notice_id = s.notice_id AND n.award_id = $1 AND n.kind = 'renewal' AND s.state = 'due'
"""
BOUNCE = "INSERT INTO issuance.bounces VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
SETTINGS = """
INSERT INTO issuance.notice_settings (tenant, enabled, not_before) VALUES ($1, $2, $3)
ON CONFLICT (tenant) DO UPDATE SET enabled = excluded.enabled, not_before = excluded.not_before
"""
# A new release date moves what is still to be sent, also to earlier; a renewal's day is its own.
RESETTLED = """
UPDATE issuance.notice_states st SET
  state = CASE WHEN $2 THEN 'due' ELSE 'withheld' END, reason = CASE WHEN NOT $2 THEN 'disabled' END, position = $4,
  not_before = CASE WHEN n.kind = 'renewal' THEN greatest(st.not_before, $3) ELSE greatest(n.earliest, $3) END
FROM issuance.notices n WHERE n.notice_id = st.notice_id AND st.tenant = $1 AND st.state = 'due' AND n.copy_of IS NULL
"""
PROOF = "INSERT INTO issuance.proofs VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
PERSON = """
INSERT INTO issuance.persons VALUES ($1, $2, $3) ON CONFLICT (tenant, pseudonym) DO UPDATE SET person = excluded.person
"""
ERASED = """
UPDATE issuance.notice_states st SET state = 'erased', reason = NULL FROM issuance.notices n
WHERE n.notice_id = st.notice_id AND n.tenant = $1 AND n.pseudonym = $2 AND st.state = 'due'
"""
NO_BOUNCES = "DELETE FROM issuance.bounces WHERE tenant = $1 AND pseudonym = $2"
NO_PROOFS = "DELETE FROM issuance.proofs WHERE tenant = $1 AND pseudonym = $2"
NO_PERSON = "DELETE FROM issuance.persons WHERE tenant = $1 AND pseudonym = $2"
