"""Learners' records, from the request to the vault: the shell around `issuance.learners`.

What a record reads is opened from the events that said it; the vault knows identifiers by keyed hashes alone. New
ones join the vault before the event is appended, so that no award can take them for another learner meanwhile; old ones
leave it after. A follower finishes what a crash left between the two.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from issuance import learners
from issuance.learners import LearnerIdentifier, LearnerRecord, UpdateLearner
from issuance.parts import Issuance, now
from issuance.signing import TRANSIENT
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.errors import FieldError
from ledger.events import LearnerUpdated
from ledger.identifiers import Identifier
from ledger.store import Wish
from ledger.vault import Erased

SWEEP_SECONDS = 5.0
GRACE_SECONDS = 5.0
LOOKED_AT = 1000  # updates at a start: more were not under way when everything stopped

log = structlog.get_logger()


class LearnerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's record of a learner. `version` is that of the ETag, which the next update must match."""

    id: str
    name: str | None
    identifiers: list[LearnerIdentifier]
    version: int


async def read(issuance: Issuance, tenant: str, learner_id: str) -> LearnerAnswer:
    """The record as it reads now. Raises NotFound for another's learner or none, and Erased."""
    history = await _history(issuance, tenant, learner_id)
    return _answer(learner_id, await _record(issuance, tenant, learner_id, history), len(history))


async def newest_email(issuance: Issuance, tenant: str, learner_id: str) -> str | None:
    """The address that letters to a learner go to: the first of the last update, or else of the newest award. None
    where there is none. Raises NotFound for another's learner or none, and Erased."""
    history = await _history(issuance, tenant, learner_id)
    return (await _record(issuance, tenant, learner_id, history)).email


async def update(
    issuance: Issuance, wish: Wish, learner_id: str, data: UpdateLearner, require: Callable[[int], None]
) -> tuple[LearnerAnswer, bool]:
    """The record after an update, and whether an earlier try had made it already. `require(version)` lets pass only
    what was read as it is.

    Raises Malformed, NotFound, Erased, Refused for identifiers of another learner, and what `require` raises.
    """
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return await _answered(issuance, earlier.events[0]), True
    named = learners.named_in(data)
    history = await _history(issuance, wish.tenant, learner_id)
    require(len(history))
    known = await _record(issuance, wish.tenant, learner_id, history)
    at = now()

    def rule(events: list[Recorded]) -> list[Fact]:
        require(len(events))  # inside: what is appended is what was matched
        return learners.update(data, events, known=known, pseudonym=learner_id, at=at)

    await _check_free(issuance, wish.tenant, learner_id, named)
    joined = await issuance.vault.join(wish.tenant, learner_id, named)
    try:
        decision = await issuance.store.decide(f"learner/{learner_id}", rule, wish=wish)
    except errors.Unavailable:
        raise  # nobody knows whether it was appended: the retry, or the follower, will
    except errors.LedgerError:
        await issuance.vault.part(wish.tenant, learner_id, joined)
        raise
    if not decision.events:
        return _answer(learner_id, known, len(history)), False
    await _settle(issuance, decision.events[0])
    return await _answered(issuance, decision.events[0]), decision.replayed


async def sweep(issuance: Issuance) -> None:
    """For ever: finish the updates that a crash left between their event and the vault."""
    after = None
    while True:
        with suppress(*TRANSIENT):
            if after is None:
                after = await issuance.store.pool.fetchval(START, LOOKED_AT)
            for row in await issuance.store.pool.fetch(UPDATES, after, GRACE_SECONDS):
                with suppress(Erased):
                    await _settle(issuance, await issuance.store.at(row["position"]))
                after = row["position"]
        await asyncio.sleep(SWEEP_SECONDS)


async def _settle(issuance: Issuance, recorded: Recorded) -> None:
    """Bring the vault to what an update says: its identifiers are the learner's, those that it removed are not, unless
    a later update or award named them again. May be repeated."""
    tenant, learner_id = recorded.tenant, str(recorded.subject)
    personal = await issuance.vault.open(recorded)
    removed = msgspec.convert(personal.get("removed", []), list[Identifier])
    history = await _history(issuance, tenant, learner_id)
    record = await _record(issuance, tenant, learner_id, history)
    await issuance.vault.part(tenant, learner_id, [one for one in removed if one not in record.identifiers])
    said = learners.updated(personal).identifiers
    try:
        await issuance.vault.join(tenant, learner_id, [one for one in said if one in record.identifiers])
    except errors.Refused:
        log.warning("an identifier was given to another learner meanwhile", position=recorded.position)


async def _history(issuance: Issuance, tenant: str, learner_id: str) -> list[Recorded]:
    """The learner's stream, which may be empty. Raises NotFound or Erased."""
    history = await issuance.store.load(f"learner/{learner_id}")
    if history and history[0].tenant != tenant:
        raise errors.NotFound("There is no such learner.")
    if learners.is_erased(history):
        raise Erased("This learner's record was erased.")
    if not history and not await issuance.vault.knows(tenant, learner_id):
        raise errors.NotFound("There is no such learner.")
    return history


async def _record(issuance: Issuance, tenant: str, learner_id: str, history: list[Recorded]) -> LearnerRecord:
    """The record: what the last update said, and what awards have said since."""
    last = next((recorded for recorded in reversed(history) if isinstance(recorded.event, LearnerUpdated)), None)
    await issuance.caught_up()
    rows = await issuance.store.pool.fetch(AWARDS, tenant, learner_id, last.position if last else 0)
    events = [*([last] if last else []), *[await issuance.store.at(row["position"]) for row in rows]]
    return learners.record_of([(recorded.event, await issuance.vault.open(recorded)) for recorded in events])


async def _check_free(issuance: Issuance, tenant: str, learner_id: str, named: list[Identifier]) -> None:
    """Raises Refused with a pointer to every identifier that names another learner of the institution."""
    owners = [await issuance.vault.find(tenant, one) for one in named]
    bad = [
        FieldError(f"/identifiers/{i}", "names another learner of this institution")
        for i, owner in enumerate(owners)
        if owner not in (None, learner_id)
    ]
    if bad:
        raise errors.Refused("These identifiers belong to different learners of this institution.", errors=bad)


async def _answered(issuance: Issuance, recorded: Recorded) -> LearnerAnswer:
    """The answer that follows from an update's event alone: a retry gives the same bytes. Raises Erased."""
    record = learners.updated(await issuance.vault.open(recorded))
    return _answer(str(recorded.subject), record, recorded.version)


def _answer(learner_id: str, record: LearnerRecord, version: int) -> LearnerAnswer:
    named = msgspec.convert(record.identifiers, list[LearnerIdentifier], from_attributes=True)
    return LearnerAnswer(id=learner_id, name=record.name, identifiers=named, version=version)


AWARDS = """
SELECT position FROM issuance.awards WHERE tenant = $1 AND pseudonym = $2 AND position > $3 ORDER BY position
"""
START = """
SELECT coalesce(min(position), 1) - 1
FROM (SELECT position FROM issuance.learner_updates ORDER BY position DESC LIMIT $1) newest
"""
UPDATES = """
SELECT position FROM issuance.learner_updates
WHERE position > $1 AND recorded_at < now() - make_interval(secs => $2) ORDER BY position
"""
