"""One award, from the request to the signed credential: the shell around `issuance.awards`.

Draw what is random, ask the store to decide, sign after COMMIT, keep the document. A retry finds the events of the
first try and signs them again: the same bytes. A second wish for what the learner holds already meets the first one's
award, in its stream or by its external id, and is refused, answered with it, or awarded beside it, as it says itself.
"""

import base64
from itertools import count, pairwise
from typing import Any, Literal
from uuid import UUID

import msgspec

from issuance import awards, renewals
from issuance.awards import AlreadyAwarded, AwardLearner, Draws, Overtaken
from issuance.corrections import document_of
from issuance.parts import Issuance, draw, now
from issuance.signing import award_id
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.events import AwardCorrected, Awarded, DocumentIssued
from ledger.identifiers import Identifier
from ledger.store import Name, NameTaken, Wish
from ledger.vault import Erased

TRIES = 5  # others may award the same, or erase the learner, at the same time
EXTERNAL_ID = "award.external_id"
OWN_HISTORIES = 4  # of the award, its institution, its achievement and its learner
Outcome = Literal["awarded", "replayed", "returned"]


class Superseded(msgspec.Struct, frozen=True):
    """A document of the award that counts no longer: the position of its event, since when it was valid, and the
    position and the coded reason of the correction that took its place."""

    position: int
    valid_from: str
    replaced_at: int
    reason_code: str


class AwardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An award as its institution gets it, with its newest document. `credential_id` is the secret part of
    `credential_url`: whoever has the URL can read the credential. `learner_id` is the learner's pseudonym at this
    institution; `position` that of the event which the document follows from; `superseded` are the documents before
    it, oldest first."""

    id: str
    position: int
    credential_id: str
    credential_url: str
    award_url: str
    learner_id: str
    achievement_id: str
    achievement_version: int
    awarded_date: str
    valid_from: str
    valid_until: str | None
    external_id: str | None
    renews: str | None
    renew_by: str | None
    superseded: list[Superseded]
    test: bool
    credential: msgspec.Raw


class Made(msgspec.Struct, frozen=True):
    """The event that answers a wish: made by it (with the personal values at hand), made by an earlier try of it, or
    another wish's, which `on_duplicate: return` asked for."""

    recorded: Recorded
    outcome: Outcome
    personal: dict[str, Any] | None = None


async def award(issuance: Issuance, wish: Wish, data: AwardLearner) -> tuple[AwardAnswer, Outcome]:
    """The award that a wish asks for, signed, and how it came about.

    Raises Malformed, NotFound, Refused, AlreadyAwarded, KeyReused, Unavailable or Erased.
    """
    made = await decide(issuance, wish, data)
    return await answer_for(issuance, made.recorded, made.personal), made.outcome


async def decide(issuance: Issuance, wish: Wish, data: AwardLearner) -> Made:
    """The event behind a wish, committed and not signed yet. Raises as `award` does."""
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return Made(earlier.events[0], "replayed")
    awards.check(data, at=now())
    identifiers = awards.identifiers_of(data.learner)
    await check_achievement(issuance, wish.tenant, data)
    for tries_left in reversed(range(TRIES)):
        try:
            return await _decide(issuance, wish, data, identifiers)
        except NameTaken as taken:
            return await _with_external_id(issuance, wish, data, taken.position)
        except (Erased, Overtaken):  # the next look finds the other's award, or makes a new record of the learner
            if not tries_left:
                raise
    raise RuntimeError("unreachable")


async def answer_for(issuance: Issuance, recorded: Recorded, personal: dict[str, Any] | None = None) -> AwardAnswer:
    """The answer that follows from the event of an award or of a correction, signed (again). Raises Erased."""
    event = recorded.event
    if not isinstance(event, DocumentIssued):
        raise TypeError("only awards have credentials")
    signed = await issuance.signing.sign(recorded, personal)
    award = award_id(recorded)
    # What came behind the event is left out: the same request always gets the same answer.
    history = [recorded] if recorded.version == 1 else await issuance.store.load(recorded.stream)
    issued = [r for r in history if isinstance(r.event, DocumentIssued) and r.version <= recorded.version]
    return AwardAnswer(
        id=award,
        position=recorded.position,
        credential_id=signed.capability,
        credential_url=issuance.addresses.credential_url(signed.capability),
        award_url=issuance.addresses.award_url(award),
        learner_id=signed.pseudonym,
        achievement_id=event.achievement_id,
        achievement_version=event.achievement_version,
        awarded_date=event.awarded_date,
        valid_from=event.valid_from,
        valid_until=event.valid_until,
        external_id=signed.external_id,
        renews=next((r.event.renews for r in issued if isinstance(r.event, Awarded)), None),
        renew_by=event.renew_by,
        superseded=[_superseded(old, new) for old, new in pairwise(issued)],
        test=issuance.addresses.test_mode,
        credential=msgspec.Raw(signed.formats.vc.encode()),
    )


def _superseded(old: Recorded, new: Recorded) -> Superseded:
    before, after = old.event, new.event
    if not isinstance(before, DocumentIssued) or not isinstance(after, AwardCorrected):
        raise TypeError("a document is replaced by a correction")
    return Superseded(old.position, before.valid_from, new.position, after.reason_code)


async def _decide(issuance: Issuance, wish: Wish, data: AwardLearner, identifiers: list[Identifier]) -> Made:
    for name in _names(issuance, wish, data):
        if (position := await issuance.vault.position_of(name)) is not None:
            raise NameTaken(position)
    pseudonym = await issuance.vault.learner(wish.tenant, identifiers)
    if data.renews:
        renewed = [await issuance.store.load(stream) for stream in _renewed(data)]
        renewals.check(data, *renewed, tenant=wish.tenant, learner=pseudonym)
    place = await _place(issuance, wish, data, pseudonym)
    if isinstance(place, Recorded):
        return Made(place, "returned")
    return await make(issuance, wish, data, pseudonym, place)


async def make(issuance: Issuance, wish: Wish, data: AwardLearner, pseudonym: str, stream: str) -> Made:
    """The award in this stream, which was looked at and is most likely empty.

    Raises NameTaken, Overtaken or Erased for what has changed since, and what the rule raises.
    """
    draws = await _draws(issuance, wish.tenant, pseudonym)
    at = now()

    def rule(*histories: Any) -> Any:
        own, renewed = histories[:OWN_HISTORIES], histories[OWN_HISTORIES:]
        if renewed:
            renewals.check(data, *renewed, tenant=wish.tenant, learner=pseudonym)
        return awards.award(data, *own, draws=draws, document_for=issuance.addresses.unsigned, at=at)

    reads = (f"institution/{wish.tenant}", f"achievement/{data.achievement_id}", f"learner/{pseudonym}")
    names = _names(issuance, wish, data)
    decision = await issuance.store.decide(
        stream, rule, wish=wish, reads=(*reads, *_renewed(data)), names=names, new=True
    )
    if decision.replayed:
        return Made(decision.events[0], "replayed")
    return Made(decision.events[0], "awarded", awards.personal_values(data, draws))


def _renewed(data: AwardLearner) -> list[str]:
    """The streams of the award that is renewed."""
    return [f"award/{data.renews}", f"standing/{data.renews}"] if data.renews else []


def _names(issuance: Issuance, wish: Wish, data: AwardLearner) -> list[Name]:
    return [issuance.external_name(wish.tenant, EXTERNAL_ID, data.external_id)] if data.external_id else []


async def _place(issuance: Issuance, wish: Wish, data: AwardLearner, pseudonym: str) -> str | Recorded:
    """The stream of the award to make, or the award to return instead. Raises AlreadyAwarded.

    Looked for before a place in a status list is taken: a list that is sent again every night must not use up places.
    Where an award is to be renewed, it is no duplicate, nor are those before it; an earlier renewal is one.
    """
    secret, renewable = issuance.settings.server_secret, data.renews is not None
    for number in count():
        award = awards.award_id_for(secret, wish.tenant, pseudonym, data.achievement_id, number)
        history = await issuance.store.load(f"award/{award}")
        if not history or history[0].command_id == wish.command:
            return f"award/{award}"
        if renewable:
            renewable = award != data.renews
            continue
        if data.on_duplicate == "allow" or awards.is_revoked(await issuance.store.load(f"standing/{award}")):
            continue
        if data.on_duplicate == "return":
            return document_of(history)
        raise AlreadyAwarded(
            f"The learner holds this achievement already, by the award {award}. Send on_duplicate `return` to be "
            "answered with it, or `allow` to award it once more."
        )
    raise RuntimeError("unreachable")


async def _with_external_id(issuance: Issuance, wish: Wish, data: AwardLearner, position: int) -> Made:
    """What a wish gets whose external id is taken: that award, where it is the same thing and a return was asked for.
    Raises AlreadyAwarded."""
    holder = await issuance.store.at(position)
    if holder.command_id == wish.command:
        return Made(holder, "replayed")
    known = {await issuance.vault.find(wish.tenant, one) for one in awards.identifiers_of(data.learner)}
    event = holder.event
    same = isinstance(event, Awarded) and event.achievement_id == data.achievement_id and holder.subject in known
    if same and data.on_duplicate == "return":
        return Made(document_of(await issuance.store.load(holder.stream)), "returned")
    what = "is that of" if same else "was given to another learner or achievement, by"
    raise AlreadyAwarded(f"This external_id {what} the award {award_id(holder)}; it can be given once.")


async def check_achievement(issuance: Issuance, tenant: str, data: AwardLearner) -> None:
    """Refuse before a place in a status list is burnt for nothing."""
    stream = f"achievement/{data.achievement_id}"
    try:
        published = awards.version_to_award(data.achievement_version, await issuance.store.load_cached(stream))
    except errors.LedgerError:  # what is cached may be behind
        history = await issuance.store.load_cached(stream, fresh=True)
        published = awards.version_to_award(data.achievement_version, history)
    if published.tenant != tenant:
        raise errors.NotFound("There is no such achievement.")


async def _draws(issuance: Issuance, tenant: str, pseudonym: str) -> Draws:
    return Draws(
        pseudonym=pseudonym,
        subject_id=subject_id(issuance, tenant, pseudonym),
        capability=new_capability(),
        salt=draw(16).hex(),
        status=await issuance.leases.take(tenant),
    )


def subject_id(issuance: Issuance, tenant: str, pseudonym: str) -> str:
    """What a learner without a DID is called in credentials: always the same for a pseudonym, which it hides."""
    secret = issuance.settings.server_secret
    return f"urn:uuid:{UUID(bytes=ids.keyed(secret, 'credledger/subject/v1', tenant, pseudonym)[:16], version=4)}"


def new_capability() -> str:
    """A fresh secret for a credential's URL: 128 random bits."""
    return base64.urlsafe_b64encode(draw(16)).decode().rstrip("=")
