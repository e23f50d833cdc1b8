"""Erasure, from the request to the emptied vault: the shell around `issuance.learners`.

The event comes first and says so for ever; then data key, mapping, documents with their shares and sealed values go.
A follower finishes what a crash left, so an erasure that was acknowledged is complete, and one that was not is too.
Before it is acknowledged it stands in the list outside the backups (`issuance.erasure_list`).
"""

import asyncio
from contextlib import suppress

import structlog

from issuance import learners
from issuance.erasure_list import Entry
from issuance.learners import EraseLearner
from issuance.parts import Issuance, now
from issuance.signing import TRANSIENT
from ledger import errors
from ledger.store import Wish

SWEEP_SECONDS = 5.0
PROJECTION_TIMEOUT_SECONDS = 10.0

log = structlog.get_logger()


async def erase(issuance: Issuance, wish: Wish, learner_id: str, data: EraseLearner) -> tuple[int, bool]:
    """The position of the fact, and whether it was there before. Raises NotFound for another's learner or none."""
    tenant, stream, at = wish.tenant, f"learner/{learner_id}", now()
    history = await issuance.store.load(stream)
    known = bool(history) and history[0].tenant == tenant
    if not known and not await issuance.store.pool.fetchval(KNOWN, tenant, learner_id):
        raise errors.NotFound("There is no such learner.")
    decision = await issuance.store.decide(
        stream, lambda events: learners.erase(data, events, pseudonym=learner_id, at=at), wish=wish
    )
    event = decision.events[0] if decision.events else (await issuance.store.load(stream))[-1]
    await destroy(issuance, tenant, learner_id, event.position)
    await issuance.erasures.add([Entry(tenant, learner_id, event.position, event.recorded_at)])
    return event.position, decision.replayed or not decision.events


async def destroy(issuance: Issuance, tenant: str, learner_id: str, position: int) -> None:
    """Empty the vault of what the learner had up to the erasure. Raises Unavailable when our tables lag too far."""
    for projector in issuance.projectors:
        if not await projector.wait_for(position, PROJECTION_TIMEOUT_SECONDS):
            raise errors.Unavailable("The erasure is recorded and will be finished shortly.", retry_after_seconds=5)
    rows = await issuance.store.pool.fetch(EVENTS, tenant, learner_id)
    await issuance.vault.erase(tenant, learner_id, [row["position"] for row in rows])


async def sweep(issuance: Issuance) -> None:
    """For ever: finish erasures that a crash or another process left half done, and list them in our file."""
    listed = 0
    while True:
        with suppress(*TRANSIENT):
            for row in await issuance.store.pool.fetch(UNFINISHED):
                await destroy(issuance, row["tenant"], row["pseudonym"], row["position"])
                log.info("erasure finished", position=row["position"])
            listed = await _list(issuance, listed)
        await asyncio.sleep(SWEEP_SECONDS)


async def _list(issuance: Issuance, after: int) -> int:
    """Add what our tables know and the list lacks, also what was erased before there was a list; up to where."""
    rows = await issuance.store.pool.fetch(ERASED, after)
    await issuance.erasures.add([Entry(*row) for row in rows])
    return max((row["position"] for row in rows), default=after)


KNOWN = "SELECT true FROM vault.data_keys WHERE tenant = $1 AND pseudonym = $2 AND tenant <> pseudonym"
EVENTS = "SELECT position FROM issuance.subject_events WHERE tenant = $1 AND pseudonym = $2"
ERASED = """
SELECT e.tenant, e.pseudonym, e.position, v.recorded_at FROM issuance.erasures e
JOIN ledger.events v ON v.log_id = 0 AND v.position = e.position
WHERE e.position > $1 ORDER BY e.position
"""
UNFINISHED = """
SELECT e.tenant, e.pseudonym, e.position FROM issuance.erasures e
JOIN vault.data_keys k ON k.tenant = e.tenant AND k.pseudonym = e.pseudonym
"""
