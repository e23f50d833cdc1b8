"""One correction, from the request to the newly signed credential: the shell around `issuance.corrections`.

Open what the newest document was made of, take a place for the new one, ask the store to decide, sign after COMMIT. The
place of the old document in the status lists is set by whoever follows the log and sees the event.
"""

from typing import Any

import msgspec

from issuance import corrections
from issuance.awarding import AwardAnswer, answer_for
from issuance.corrections import CorrectAward, Material, ReissueAward, document_of
from issuance.drawing import new_capability, subject_id
from issuance.parts import Issuance, draw, now
from ledger import errors
from ledger.codec import Recorded
from ledger.errors import FieldError
from ledger.events import DocumentIssued
from ledger.store import Wish

CORRECTED_MEANWHILE_TRIES = 5


async def correct(issuance: Issuance, wish: Wish, award_id: str, data: CorrectAward) -> tuple[AwardAnswer, bool]:
    """The award with its new document, and whether an earlier try had made it already.

    Raises Malformed, NotFound, Refused, Conflict, KeyReused, Unavailable or Erased.
    """
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return await answer_for(issuance, earlier.events[0]), True
    corrections.check(data, at=now())
    recorded, replayed = await _corrected(issuance, wish, award_id, data)
    return await answer_for(issuance, recorded), replayed


async def reissue(issuance: Issuance, wish: Wish, award_id: str, reason_code: str) -> AwardAnswer:
    """The award with the same content in a new document, under the keys and the profile of now.

    The same wish again gives the same answer. Raises NotFound, Refused (revoked, suspended, ended), Conflict,
    Unavailable or Erased.
    """
    recorded, _ = await _corrected(issuance, wish, award_id, ReissueAward(reason_code))
    return await answer_for(issuance, recorded)


async def _corrected(
    issuance: Issuance, wish: Wish, award_id: str, wanted: CorrectAward | ReissueAward
) -> tuple[Recorded, bool]:
    stream, status = f"award/{award_id}", None
    for tries_left in reversed(range(CORRECTED_MEANWHILE_TRIES)):
        history = await issuance.history(stream, wish.tenant, "award")
        if (made := next((r for r in history if r.command_id == wish.command), None)) is not None:
            return made, True
        replaced = document_of(history)
        material, at = await _material(issuance, replaced, wanted), now()
        reads = (f"standing/{award_id}", f"institution/{wish.tenant}", f"learner/{replaced.subject}")

        def rule(*histories: Any, material: Material = material, at: Any = at) -> Any:
            unsigned = issuance.addresses.unsigned
            return corrections.correct(wanted, *histories, material=material, document_for=unsigned, at=at)

        try:
            if status is None:  # judged once before a place in the status lists is burnt for nothing
                rule(history, *[await issuance.store.load(name) for name in reads])
                status = await issuance.leases.take(wish.tenant)
            material = msgspec.structs.replace(material, status=status)
            decision = await issuance.store.decide(
                stream, lambda *seen, m=material: rule(*seen, material=m), wish=wish, reads=reads
            )
        except errors.Conflict:  # corrected by others between our look and the append: the next look sees that
            if not tries_left:
                raise
            continue
        return decision.events[0], decision.replayed
    raise RuntimeError("unreachable")


async def _material(issuance: Issuance, replaced: Recorded, wanted: CorrectAward | ReissueAward) -> Material:
    """What the rule needs beside histories. Raises Erased, or Refused for an identifier that is not the learner's."""
    event, tenant, pseudonym = replaced.event, replaced.tenant, str(replaced.subject)
    if not isinstance(event, DocumentIssued):
        raise TypeError("only what issued a document can be corrected")
    personal = await issuance.vault.open(replaced)
    named = corrections.named_in(wanted.changes) if isinstance(wanted, CorrectAward) else None
    if named is not None and await issuance.vault.find(tenant, named) != pseudonym:
        where = [FieldError(f"/changes/learner/{named.kind}", "is not recorded for this learner")]
        detail = "Record the identifier for the learner first: PUT /v1/learners/{learner_id}."
        raise errors.Refused(detail, errors=where)
    return Material(
        replaces=replaced.position,
        personal=personal,
        published=await issuance.signing.published(event),
        subject_id=subject_id(issuance, tenant, pseudonym),
        capability=new_capability(),
        salt=draw(16).hex(),
    )
