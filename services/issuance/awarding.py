"""One award, from the request to the signed credential: the shell around `issuance.awards`.

Draw what is random, ask the store to decide, sign after COMMIT, keep the document. A retry finds the events of the
first try and signs them again: the same bytes. A second wish for what the learner holds already meets the first one's
award, in its stream or by its external id, and is refused, answered with it, or awarded beside it, as it says itself.
"""

from itertools import count, pairwise
from typing import Any, Literal

import msgspec

from issuance import awards, proposing, renewals
from issuance.awards import AlreadyAwarded, AwardLearner, Overtaken
from issuance.corrections import document_of
from issuance.drawing import draws_for
from issuance.parts import Issuance, now
from issuance.signing import award_id
from ledger import errors, ids
from ledger.approvals import ApprovalRequired
from ledger.codec import Actor, Recorded
from ledger.events import AwardCorrected, Awarded, AwardProposed, DocumentIssued
from ledger.identifiers import Identifier
from ledger.store import Name, NameTaken, Wish
from ledger.vault import Erased

TRIES = 5  # others may award the same, or erase the learner, at the same time
EXTERNAL_ID = "award.external_id"
OWN_HISTORIES = 4  # of the award, its institution, its achievement and its learner
Outcome = Literal["awarded", "replayed", "returned", "proposed"]


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
    another wish's, which `on_duplicate: return` asked for. Where the institution lets a second key approve its awards,
    nothing is awarded and the event is the proposal: then `is_proposal`."""

    recorded: Recorded
    outcome: Outcome
    personal: dict[str, Any] | None = None

    @property
    def is_proposal(self) -> bool:
        return isinstance(self.recorded.event, AwardProposed)


async def decide(issuance: Issuance, wish: Wish, data: AwardLearner, *, approval: str | None = None) -> Made:
    """The event behind a wish, committed and not signed yet: an award, or the proposal of one. `approval` is the
    proposal that a second key approved.

    Raises Malformed, NotFound, Refused, AlreadyAwarded, KeyReused, Unavailable or Erased.
    """
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return Made(earlier.events[0], "replayed")
    awards.check(data, at=now())
    identifiers = awards.identifiers_of(data.learner)
    await check_achievement(issuance, wish.tenant, data)
    for tries_left in reversed(range(TRIES)):
        try:
            return await _decide(issuance, wish, data, identifiers, approval)
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
        test=issuance.addresses.is_test(recorded.tenant),
        credential=msgspec.Raw(signed.formats.vc.encode()),
    )


def _superseded(old: Recorded, new: Recorded) -> Superseded:
    before, after = old.event, new.event
    if not isinstance(before, DocumentIssued) or not isinstance(after, AwardCorrected):
        raise TypeError("a document is replaced by a correction")
    return Superseded(old.position, before.valid_from, new.position, after.reason_code)


async def _decide(
    issuance: Issuance, wish: Wish, data: AwardLearner, identifiers: list[Identifier], approval: str | None
) -> Made:
    for name in _names(issuance, wish.tenant, data):
        if (position := await issuance.vault.position_of(name)) is not None:
            raise NameTaken(position)
    pseudonym = await issuance.vault.learner(wish.tenant, identifiers)
    await _check_renewed(issuance, wish.tenant, data, pseudonym)
    place = await _place(issuance, wish, data, pseudonym)
    if isinstance(place, Recorded):
        return Made(place, "returned")
    return await make(issuance, wish, data, pseudonym, place, approval=approval)


async def make(
    issuance: Issuance, wish: Wish, data: AwardLearner, pseudonym: str, stream: str, *, approval: str | None = None
) -> Made:
    """The award in this stream, which was looked at and is most likely empty; or its proposal, where a second key has
    to approve and no `approval` is named.

    Raises NameTaken, Overtaken or Erased for what has changed since, and what the rule raises.
    """
    if approval is None and await proposing.takes_approval(issuance, wish.tenant):  # before a place is taken
        return await _propose(issuance, wish, data, pseudonym)
    status = await issuance.leases.take(wish.tenant)
    draws, at = draws_for(issuance, wish.tenant, pseudonym, status=status, approval=approval), now()

    def rule(*histories: Any) -> Any:
        own, renewed = histories[:OWN_HISTORIES], histories[OWN_HISTORIES:]
        if renewed:
            renewals.check(data, *renewed, tenant=wish.tenant, learner=pseudonym)
        return awards.award(data, *own, draws=draws, document_for=issuance.addresses.unsigned, at=at)

    reads = (*proposing.reads_of(wish.tenant, data, pseudonym), *_renewed(data))
    names = _names(issuance, wish.tenant, data)
    try:
        decision = await issuance.store.decide(stream, rule, wish=wish, reads=reads, names=names, new=True)
    except ApprovalRequired:  # the institution's policy changed since it was looked at
        return await _propose(issuance, wish, data, pseudonym)
    if decision.replayed:
        return Made(decision.events[0], "replayed")
    return Made(decision.events[0], "awarded", awards.personal_values(data, draws))


async def check(issuance: Issuance, tenant: str, data: AwardLearner, approval: str) -> None:
    """Whether a proposed award could be made at this moment, by the rule that makes it; nothing is recorded. Raises as
    `decide` does."""
    awards.check(data, at=now())
    pseudonym = await issuance.vault.learner(tenant, awards.identifiers_of(data.learner))
    command = ids.caused_command(issuance.settings.server_secret, "check", approval)
    wish = Wish(tenant=tenant, command=command, actor=Actor("check", "service"))
    for name in _names(issuance, tenant, data):
        if (position := await issuance.vault.position_of(name)) is not None:
            await _with_external_id(issuance, wish, data, position)
    await _check_renewed(issuance, tenant, data, pseudonym)
    await _place(issuance, wish, data, pseudonym)
    histories = [await issuance.store.load(stream) for stream in proposing.reads_of(tenant, data, pseudonym)]
    draws = draws_for(issuance, tenant, pseudonym, approval=approval)
    awards.award(data, (), *histories, draws=draws, document_for=issuance.addresses.unsigned, at=now())


async def _propose(issuance: Issuance, wish: Wish, data: AwardLearner, pseudonym: str) -> Made:
    proposed, replayed = await proposing.propose(issuance, wish, data, pseudonym)
    return Made(proposed, "replayed" if replayed else "proposed")


def _renewed(data: AwardLearner) -> list[str]:
    """The streams of the award that is renewed."""
    return [f"award/{data.renews}", f"standing/{data.renews}"] if data.renews else []


async def _check_renewed(issuance: Issuance, tenant: str, data: AwardLearner, pseudonym: str) -> None:
    """Raises Refused where the award that is to be renewed cannot be."""
    if data.renews:
        renewed = [await issuance.store.load(stream) for stream in _renewed(data)]
        renewals.check(data, *renewed, tenant=tenant, learner=pseudonym)


def _names(issuance: Issuance, tenant: str, data: AwardLearner) -> list[Name]:
    """What the award takes that can be taken once."""
    return [issuance.external_name(tenant, EXTERNAL_ID, data.external_id)] if data.external_id else []


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
