"""The registry's view of the log: issuers, their keys, achievements, awards and what became of them.

Rules. It works from public forms alone, so it follows JetStream; nothing in its tables is personal. Each event's effect
depends on that event and on rows of earlier ones, so a rebuild leaves the same rows. Times are aware UTC.
"""

import unicodedata
from typing import Any

import msgspec

from ledger.codec import Seen, parse_time
from ledger.events import (
    LEDGER_TENANT,
    AchievementPublished,
    AchievementWithdrawn,
    AwardCorrected,
    Awarded,
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    InstitutionChanged,
    InstitutionCreated,
    InstitutionDeactivated,
    InstitutionMoved,
    InstitutionPolicySet,
    InstitutionReactivated,
    InstitutionRenamed,
    InstitutionUpdated,
    IssuerKeyChanged,
    PublicationSet,
    StandingChanged,
    state_after,
    successor_named,
)

STANDINGS = {AwardRevoked: "revoked", AwardSuspended: "suspended", AwardReinstated: "valid"}


class RegistryProjection:
    """The projection `registry`; its tables are in tables.sql."""

    name = "registry"
    schema = "registry"
    private = False

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what one event changes, on the projector's asyncpg connection."""
        if seen.tenant != LEDGER_TENANT and not isinstance(seen.event, Awarded):  # an award says so with the rest
            await connection.execute(TENANT_EVENT, seen.tenant, seen.position)
        match seen.event:
            case InstitutionCreated() | InstitutionUpdated():
                await _profiled(connection, seen)
            case InstitutionChanged() | InstitutionDeactivated() | InstitutionReactivated() as changed:
                await _lived(connection, seen, changed)
            case InstitutionPolicySet():
                await connection.execute(PROFILE_VERSION, seen.tenant, seen.version)
            case IssuerKeyChanged() as key:
                row = (key.key_id, key.change, key.algorithm, key.public_key, parse_time(key.effective))
                await connection.execute(KEY, seen.position, seen.tenant, *row, seen.recorded_at)
                await connection.execute(PROFILE_VERSION, seen.tenant, seen.version)
            case AchievementPublished() as published:
                await _achievement(connection, seen, published)
            case AchievementWithdrawn() as withdrawn:
                version, reason = withdrawn.achievement_version, withdrawn.reason_code
                await connection.execute(WITHDRAWN, _thing(seen), version, reason, seen.position)
            case Awarded() as awarded:
                await _award(connection, seen, awarded)
            case AwardCorrected() as corrected:
                await _correction(connection, seen, corrected)
            case PublicationSet(visibility=visibility):
                await connection.execute(PUBLICATION, _thing(seen), visibility, seen.position)
            case StandingChanged() as changed:
                await _standing(connection, seen, changed)


async def _profiled(connection: Any, seen: Seen) -> None:
    match seen.event:
        case InstitutionCreated() as made:
            fixed = (seen.tenant, made.slug, made.did)
            rest = (made.status_profile, made.demo, seen.position, seen.recorded_at, seen.version)
            await connection.execute(INSTITUTION, *fixed, *_profile(made), *rest)
        case InstitutionUpdated() as updated:
            previous = await connection.fetchval(NAME, seen.tenant)
            if previous is not None and previous != updated.name:
                names = (updated.name, previous)
                await connection.execute(LIFE, *_turn(seen, "renamed"), None, None, *names, None, None, None)
            await connection.execute(PROFILE, seen.tenant, *_profile(updated), seen.version)


async def _lived(
    connection: Any, seen: Seen, event: InstitutionChanged | InstitutionDeactivated | InstitutionReactivated
) -> None:
    names: tuple[str | None, str | None] = (None, None)
    dids: tuple[str | None, str | None] = (None, None)
    change = {"deactivated": "suspended", "reactivated": "reinstated"}.get(_turned(seen), _turned(seen))
    match event:
        case InstitutionRenamed(name=name, previous_name=previous):
            names = (name, previous)
            await connection.execute(RENAMED, seen.tenant, name, plain(name))
        case InstitutionMoved(did=did, previous_did=previous):
            dids = (did, previous)
            await connection.execute(MOVED, seen.tenant, did)
    why = (event.reason_code, getattr(event, "authority", None))
    await connection.execute(LIFE, *_turn(seen, change), *why, *names, *dids, successor_named(event))
    if (state := state_after(event)) is not None:
        await connection.execute(ACTIVE, seen.tenant, state == "active", seen.version)
    await connection.execute(PROFILE_VERSION, seen.tenant, seen.version)


def _turned(seen: Seen) -> str:
    """`suspended` of `institution.suspended`."""
    return seen.topic.partition(".")[2]


def _turn(seen: Seen, change: str) -> tuple[Any, ...]:
    return seen.position, seen.tenant, change, seen.recorded_at


def _profile(event: InstitutionCreated | InstitutionUpdated) -> tuple[str | None, ...]:
    return event.name, plain(event.name), event.url, event.email, event.description, event.country


def plain(name: str) -> str:
    """A name as it reads: compatibility forms, case and white space apart. Two that look alike are one here."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


async def _achievement(connection: Any, seen: Seen, event: AchievementPublished) -> None:
    document, details = event.document, event.details
    texts = [document["name"], document.get("description"), *document.get("tag", []), details.get("focus")]
    await connection.execute(
        ACHIEVEMENT,
        _thing(seen),
        event.achievement_version,
        seen.tenant,
        seen.position,
        seen.recorded_at,
        document["name"],
        details.get("credential_type"),
        details.get("sector"),
        details.get("focus"),
        " ".join(text for text in texts if text).casefold(),
        _text(document),
        _text(details),
        event.image_sha256,
        event.image_media_type,
    )


async def _award(connection: Any, seen: Seen, event: Awarded) -> None:
    award_id, awarded = _thing(seen), parse_time(event.awarded_date)
    await connection.execute(
        AWARD,
        award_id,
        seen.position,
        seen.tenant,
        event.achievement_id,
        event.achievement_version,
        parse_time(event.issued),
        awarded,
        parse_time(event.valid_from),
        parse_time(event.valid_until) if event.valid_until else None,
        event.keys,
        seen.recorded_at,
        seen.leaf,
        seen.topic,
    )
    if event.renews is not None or event.renew_by is not None:
        renew_by = parse_time(event.renew_by) if event.renew_by else None
        await connection.execute(RENEWAL, award_id, event.renews, renew_by)


async def _correction(connection: Any, seen: Seen, event: AwardCorrected) -> None:
    """The newest dates and keys; the award's own position, leaf, date and standing stay."""
    award_id, issued = _thing(seen), parse_time(event.issued)
    valid_until = parse_time(event.valid_until) if event.valid_until else None
    newest = (issued, parse_time(event.valid_from), valid_until, event.keys)
    await connection.execute(CORRECTED, award_id, *newest)
    row = (award_id, seen.position, seen.topic, issued, seen.recorded_at, event.reason_code, None, seen.leaf)
    await connection.execute(HISTORY, *row)
    if event.renew_by is not None:
        await connection.execute(RENEWAL, award_id, None, parse_time(event.renew_by))
    else:
        await connection.execute("UPDATE registry.renewals SET renew_by = NULL WHERE award_id = $1", award_id)


async def _standing(connection: Any, seen: Seen, event: StandingChanged) -> None:
    effective = parse_time(event.effective)
    why = (event.reason_code, event.authority)
    row = (event.award_id, seen.position, seen.topic, effective, seen.recorded_at, *why, seen.leaf)
    await connection.execute(HISTORY, *row)
    await connection.execute(STANDING, event.award_id, STANDINGS[type(event)], effective, seen.position)


def _thing(seen: Seen) -> str:
    """The id that the stream names: `award/awd_…`."""
    return seen.stream.partition("/")[2]


def _text(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


TENANT_EVENT = "INSERT INTO registry.tenant_events VALUES ($1, $2) ON CONFLICT DO NOTHING"
INSTITUTION = """
INSERT INTO registry.institutions (institution_id, slug, did, name, plain_name, url, email, description, country,
  status_profile, demo, active, position, recorded_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true, $12, $13, $14) ON CONFLICT DO NOTHING
"""
PROFILE = """
UPDATE registry.institutions SET name = $2, plain_name = $3, url = $4, email = $5, description = $6, country = $7,
  version = $8
WHERE institution_id = $1
"""
NAME = "SELECT name FROM registry.institutions WHERE institution_id = $1"
RENAMED = "UPDATE registry.institutions SET name = $2, plain_name = $3 WHERE institution_id = $1"
# A DID is one institution's: where two claim it, the first keeps it.
MOVED = """
UPDATE registry.institutions SET did = $2
WHERE institution_id = $1 AND NOT EXISTS (SELECT FROM registry.institutions WHERE did = $2)
"""
LIFE = """
INSERT INTO registry.institution_life (position, institution_id, change, recorded_at, reason_code, authority, name,
  previous_name, did, previous_did, successor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
"""
ACTIVE = "UPDATE registry.institutions SET active = $2, version = $3 WHERE institution_id = $1"
PROFILE_VERSION = "UPDATE registry.institutions SET version = $2 WHERE institution_id = $1"
KEY = """
INSERT INTO registry.issuer_keys
  (position, institution_id, key_id, change, algorithm, public_key, effective, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""
ACHIEVEMENT = """
INSERT INTO registry.achievements (achievement_id, achievement_version, institution_id, position, recorded_at, name,
  credential_type, sector, focus, searched, document, details, image_sha256, image_media_type)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING
"""
WITHDRAWN = """
UPDATE registry.achievements SET withdrawn = $3, withdrawn_position = $4
WHERE achievement_id = $1 AND achievement_version = $2
"""
AWARD = """
WITH own AS (INSERT INTO registry.tenant_events VALUES ($3, $2) ON CONFLICT DO NOTHING),
history AS (
  INSERT INTO registry.award_history (award_id, position, topic, effective, recorded_at, leaf)
  VALUES ($1, $2, $13, $7, $11, $12) ON CONFLICT DO NOTHING)
INSERT INTO registry.awards (award_id, position, institution_id, achievement_id, achievement_version, issued,
  awarded_date, valid_from, valid_until, keys, recorded_at, leaf, standing, standing_since, standing_position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'valid', $7, $2) ON CONFLICT DO NOTHING
"""
CORRECTED = "UPDATE registry.awards SET issued = $2, valid_from = $3, valid_until = $4, keys = $5 WHERE award_id = $1"
RENEWAL = """
INSERT INTO registry.renewals (award_id, renews, renew_by) VALUES ($1, $2, $3)
ON CONFLICT (award_id) DO UPDATE SET renew_by = excluded.renew_by
"""
HISTORY = """
INSERT INTO registry.award_history (award_id, position, topic, effective, recorded_at, reason_code, authority, leaf)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""
PUBLICATION = """
INSERT INTO registry.publications (award_id, visibility, position) VALUES ($1, $2, $3)
ON CONFLICT (award_id) DO UPDATE SET visibility = excluded.visibility, position = excluded.position
"""
STANDING = """
UPDATE registry.awards SET standing = $2, standing_since = $3, standing_position = $4
WHERE award_id = $1 AND standing <> 'revoked'
"""
