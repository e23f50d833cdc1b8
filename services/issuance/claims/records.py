"""What a claim link opens: one learner's award, and which other records are his. ○

A link opens its own award alone. Another record is offered for joining only when its address was confirmed in this
browser, or when it is the very address that was proven for it before.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from issuance.claims import rules
from issuance.claims.tokens import Session
from issuance.institutions import Institution
from issuance.notices import rules as notice_rules
from issuance.notices.composing import Opened, documented
from issuance.notices.rules import Notice
from issuance.parts import Issuance
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.credentials.art import badge_svg
from ledger.credentials.baking import bake
from ledger.events import AchievementPublished, EmailProven
from ledger.identifiers import identifier_of
from ledger.raster import png_of
from ledger.vault import Documents, Erased, Formats

MEDIA_TYPES = {
    "json": "application/vc", "jwt": "application/vc+jwt", "png": "image/png", "svg": "image/svg+xml",
}  # fmt: skip
RECORDED_SECONDS, LOOK_AGAIN_SECONDS = 2.0, 0.05
GONE = "This record was erased: there is nothing left to open."


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a link opens."""

    notice: Notice
    opened: Opened
    institution: Institution
    achievement: AchievementPublished
    address: str  # where the mail went
    proven: bool
    visibility: str
    standing: str
    person: str | None


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another record of the same learner: at which institution, under which address."""

    tenant: str
    pseudonym: str
    institution: str
    address: str


async def opened(issuance: Issuance, notice: Notice) -> Record:
    """The record behind a notice. Raises Gone where it was erased, NotFound where the notice never went out."""
    load = issuance.store.load
    sent = await _sent(issuance, notice)
    try:
        address = (await issuance.vault.open(sent))["email"]
        found = await issuance.composing.award(notice.award_id, notice.pseudonym)
    except Erased as error:
        raise errors.Gone(GONE) from error
    learner = await load(f"learner/{notice.pseudonym}")
    event = documented(found.recorded)
    history = await load(f"achievement/{event.achievement_id}")
    return Record(
        notice=notice,
        opened=found,
        institution=await issuance.institution(notice.tenant),
        achievement=next(
            r.event for r in history
            if isinstance(r.event, AchievementPublished) and r.event.achievement_version == event.achievement_version
        ),
        address=address,
        proven=await proves(issuance, learner, address),
        visibility=rules.visibility_of(await load(f"award/{notice.award_id}")),
        standing=rules.standing_of(await load(f"standing/{notice.award_id}")),
        person=rules.person_of(learner),
    )  # fmt: skip


async def _sent(issuance: Issuance, notice: Notice) -> Recorded:
    """The fact that the notice went out. A mail may be read before that is recorded: it is waited for."""
    deadline = time.monotonic() + RECORDED_SECONDS
    sent = await _look(issuance, notice)
    while sent is None and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        sent = await _look(issuance, notice)
    if sent is None:
        raise errors.NotFound("There is no such page.")
    return sent


async def _look(issuance: Issuance, notice: Notice) -> Recorded | None:
    return notice_rules.sent_in(await issuance.store.load(notice.stream), notice.notice_id)


async def proves(issuance: Issuance, learner_history: Sequence[Recorded], address: str) -> bool:
    """Whether a learner's history proves this address. Raises Erased."""
    for recorded in learner_history:
        if isinstance(recorded.event, EmailProven) and (await issuance.vault.open(recorded)).get("email") == address:
            return True
    return False


async def others(issuance: Issuance, record: Record, session: Session) -> list[Other]:
    """The records that may be joined to this one, by this browser's session; those of sandboxes among themselves."""
    own = (record.notice.tenant, record.notice.pseudonym)
    found = {**await _same_address(issuance, record), **await _confirmed_here(issuance, session)}
    found.pop(own, None)
    joinable = []
    for (tenant, pseudonym), address in found.items():
        if ids.is_sandbox(tenant) != ids.is_sandbox(record.notice.tenant):
            continue
        person = rules.person_of(await issuance.store.load(f"learner/{pseudonym}"))
        if person is None or person != record.person:
            name = (await issuance.institution(tenant)).name
            joinable.append(Other(tenant=tenant, pseudonym=pseudonym, institution=name, address=address))
    return sorted(joinable, key=lambda other: (other.institution, other.pseudonym))


async def _same_address(issuance: Issuance, record: Record) -> dict[tuple[str, str], str]:
    tenants = [row["tenant"] for row in await issuance.store.pool.fetch(TENANTS)]
    found = {}
    for tenant, pseudonym in await issuance.vault.everywhere(identifier_of("email", record.address), tenants):
        try:
            if await proves(issuance, await issuance.store.load(f"learner/{pseudonym}"), record.address):
                found[tenant, pseudonym] = record.address
        except Erased:
            continue
    return found


async def _confirmed_here(issuance: Issuance, session: Session) -> dict[tuple[str, str], str]:
    found = {}
    for row in await issuance.store.pool.fetch(NOTICES, list(session.notices)):
        notice = Notice(**dict(row))
        sent = notice_rules.sent_in(await issuance.store.load(notice.stream), notice.notice_id)
        try:
            if sent is not None:
                found[notice.tenant, notice.pseudonym] = (await issuance.vault.open(sent))["email"]
        except Erased:
            continue
    return found


async def download(issuance: Issuance, record: Record, form: str) -> bytes:
    """The credential in a form of `MEDIA_TYPES`; pictures hold it (Open Badges 3.0 §5.3). Raises Gone."""
    formats = await _formats(issuance, record)
    if form == "jwt":
        return formats.jwt.encode()
    return formats.vc.encode() if form == "json" else bake(await _picture(issuance, record, form), formats.vc)


async def _formats(issuance: Issuance, record: Record) -> Formats:
    kept = await Documents(issuance.store.pool).open(record.opened.personal["capability"])
    if kept is not None:
        return kept.formats
    try:
        return (await issuance.signing.sign(record.opened.recorded, record.opened.personal)).formats
    except Erased as error:
        raise errors.Gone(GONE) from error


async def _picture(issuance: Issuance, record: Record, form: str) -> bytes:
    """The achievement's picture: the upload where it has that form, else the drawing."""
    event, details = record.achievement, record.achievement.details
    if event.image_sha256 is not None and event.image_media_type == MEDIA_TYPES[form]:
        uploaded: bytes | None = await issuance.store.pool.fetchval(IMAGE, event.image_sha256)
        if uploaded is not None:
            return uploaded
    awarded = documented(record.opened.recorded)
    drawn = badge_svg(
        awarded.achievement_id, event.document["name"],
        credential_type=details.get("credential_type"), sector=details.get("sector"),
    )  # fmt: skip
    return drawn.encode() if form == "svg" else await asyncio.to_thread(png_of, drawn)


TENANTS = "SELECT tenant FROM issuance.institutions"
NOTICES = """
SELECT n.notice_id, n.tenant, n.pseudonym, n.award_id, n.kind, n.cause, s.not_before
FROM issuance.notices n JOIN issuance.notice_states s USING (notice_id) WHERE n.notice_id = ANY($1)
"""
IMAGE = "SELECT content FROM vault.images WHERE sha256 = $1"
