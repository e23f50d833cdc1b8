"""One award, from the request to the signed credential: the shell around `issuance.awards`.

Draw what is random, ask the store to decide, sign after COMMIT, keep the document. A retry finds the events of the
first try and signs them again: the same bytes.
"""

import base64
from typing import Any
from uuid import UUID

import msgspec

from issuance import awards
from issuance.awards import AwardLearner, Draws
from issuance.parts import Issuance, draw, now
from issuance.signing import award_id
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.events import Awarded
from ledger.identifiers import Identifier
from ledger.store import Wish
from ledger.vault import Erased

ERASED_MEANWHILE_TRIES = 3


class AwardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An award as its institution gets it. `credential_id` is the secret part of `credential_url`: whoever has the
    URL can read the credential. `learner_id` is the learner's pseudonym at this institution."""

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
    test: bool
    credential: msgspec.Raw


async def award(issuance: Issuance, wish: Wish, data: AwardLearner) -> tuple[AwardAnswer, bool]:
    """The award that a wish asks for, and whether an earlier try had made it already.

    Raises Malformed, NotFound, Refused, KeyReused, Unavailable or Erased.
    """
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return await answer_for(issuance, earlier.events[0]), True
    awards.check(data, at=now())
    recorded, personal, replayed = await _decide(issuance, wish, data)
    return await answer_for(issuance, recorded, None if replayed else personal), replayed


async def answer_for(issuance: Issuance, recorded: Recorded, personal: dict[str, Any] | None = None) -> AwardAnswer:
    """The answer that follows from an award's event, signed (again). Raises Erased."""
    event = recorded.event
    if not isinstance(event, Awarded):
        raise TypeError("only awards have credentials")
    signed = await issuance.signing.sign(recorded, personal)
    award = award_id(recorded)
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
        test=issuance.addresses.test_mode,
        credential=msgspec.Raw(signed.formats.vc.encode()),
    )


async def _decide(issuance: Issuance, wish: Wish, data: AwardLearner) -> tuple[Recorded, dict[str, Any], bool]:
    identifiers = awards.identifiers_of(data.learner)
    await _check_achievement(issuance, wish.tenant, data)
    status = await issuance.leases.take(wish.tenant)
    stream = f"award/{ids.derived_id(issuance.settings.server_secret, 'awd', wish.command)}"
    for tries_left in reversed(range(ERASED_MEANWHILE_TRIES)):
        draws = await _draws(issuance, wish.tenant, identifiers, status)
        reads = (f"institution/{wish.tenant}", f"achievement/{data.achievement_id}", f"learner/{draws.pseudonym}")
        at = now()

        def rule(*histories: Any, draws: Draws = draws, at: Any = at) -> Any:
            return awards.award(data, *histories, draws=draws, document_for=issuance.addresses.unsigned, at=at)

        try:
            decision = await issuance.store.decide(stream, rule, wish=wish, reads=reads, new=True)
        except (Erased, errors.Conflict):  # erased between our look and the append: the next look makes a new record
            if not tries_left:
                raise
            continue
        return decision.events[0], awards.personal_values(data, draws), decision.replayed
    raise RuntimeError("unreachable")


async def _check_achievement(issuance: Issuance, tenant: str, data: AwardLearner) -> None:
    """Refuse before a place in a status list is burnt for nothing."""
    stream = f"achievement/{data.achievement_id}"
    try:
        published = awards.version_to_award(data.achievement_version, await issuance.store.load_cached(stream))
    except errors.LedgerError:  # what is cached may be behind
        history = await issuance.store.load_cached(stream, fresh=True)
        published = awards.version_to_award(data.achievement_version, history)
    if published.tenant != tenant:
        raise errors.NotFound("There is no such achievement.")


async def _draws(issuance: Issuance, tenant: str, identifiers: list[Identifier], status: list[Any]) -> Draws:
    pseudonym = await issuance.vault.learner(tenant, identifiers)
    subject = UUID(
        bytes=ids.keyed(issuance.settings.server_secret, "credledger/subject/v1", tenant, pseudonym)[:16], version=4
    )
    return Draws(
        pseudonym=pseudonym,
        subject_id=f"urn:uuid:{subject}",
        capability=base64.urlsafe_b64encode(draw(16)).decode().rstrip("="),
        salt=draw(16).hex(),
        status=status,
    )
