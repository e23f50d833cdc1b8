"""After a restore: whatever was erased is erased again, from the list outside the backups.

At every start, before issuance is ready, and when an operator asks. An erasure whose event the restored log lacks is
recorded anew, so that the log and every table made from it say so too.
"""

import structlog

from issuance import erasing, learners
from issuance.clock import now
from issuance.erasure_list import Entry
from issuance.learners import EraseLearner
from issuance.parts import Issuance, draw
from ledger import errors, ids
from ledger.codec import Actor, Fact
from ledger.events import LEDGER_TENANT, ErasuresReapplied, LearnerErased
from ledger.store import Wish

STREAM = "access/erasures"
REASON = EraseLearner("reapplied_after_restore")

log = structlog.get_logger()


async def at_start(issuance: Issuance) -> None:
    """Erase again what a restored vault brought back, and record that where there was any."""
    if issuance.erasures.path is None:
        log.warning("no erasure list is kept", setting="CREDLEDGER_ERASURE_LIST")
        return
    cause = ids.caused_command(issuance.settings.server_secret, "erasures.reapplied", draw(16).hex())
    wish = Wish(tenant=LEDGER_TENANT, command=cause, actor=Actor(key="issuance", role="service"))
    if await _back(issuance, issuance.erasures.read()):
        await reapply(issuance, wish)


async def reapply(issuance: Issuance, wish: Wish) -> tuple[ErasuresReapplied, int, bool]:
    """What was done for a wish, its position, and whether an earlier try had done it. Raises Refused without a list."""
    if issuance.erasures.path is None:
        raise errors.Refused("No list of erasures is kept here: set CREDLEDGER_ERASURE_LIST.")
    if (earlier := await issuance.store.earlier(wish)) is not None:
        return _said(earlier.events[0].event), earlier.events[0].position, True
    listed = issuance.erasures.read()
    back = await _back(issuance, listed)
    unrecorded = [entry for entry in back if await _record(issuance, wish, entry)]
    head = await issuance.store.head()
    for entry in back:
        await erasing.destroy(issuance, entry.tenant, entry.learner, head)
        log.warning("erasure applied again", position=entry.position, recorded=entry not in unrecorded)
    event = ErasuresReapplied(listed=len(listed), reapplied=len(back), unrecorded=len(unrecorded))
    at = now()
    decision = await issuance.store.decide(STREAM, lambda _: [Fact(event=event, at=at)], wish=wish)
    return _said(decision.events[0].event), decision.events[0].position, decision.replayed


async def _back(issuance: Issuance, listed: list[Entry]) -> list[Entry]:
    """The erased whose keys, identifiers or documents are in the vault (again)."""
    tenants, names = [entry.tenant for entry in listed], [entry.learner for entry in listed]
    found = {(row["tenant"], row["learner"]) for row in await issuance.store.pool.fetch(BACK, tenants, names)}
    return [entry for entry in listed if (entry.tenant, entry.learner) in found]


async def _record(issuance: Issuance, wish: Wish, entry: Entry) -> bool:
    """Make the event that the restored log lacks; whether it did."""
    stream, at = f"learner/{entry.learner}", now()
    if any(isinstance(r.event, LearnerErased) for r in await issuance.store.load(stream)):
        return False
    anew = issuance.follow_up(wish, f"erasure/{entry.learner}", entry.tenant)
    await issuance.store.decide(
        stream, lambda history: learners.erase(REASON, history, pseudonym=entry.learner, at=at), wish=anew
    )
    return True


def _said(event: object) -> ErasuresReapplied:
    if not isinstance(event, ErasuresReapplied):
        raise TypeError("a wish to apply erasures again was answered by another event")
    return event


BACK = """
SELECT x.tenant, x.learner FROM unnest($1::text[], $2::text[]) AS x (tenant, learner)
WHERE EXISTS (SELECT FROM vault.data_keys k WHERE k.tenant = x.tenant AND k.pseudonym = x.learner)
   OR EXISTS (SELECT FROM vault.learners l WHERE l.tenant = x.tenant AND l.pseudonym = x.learner)
   OR EXISTS (SELECT FROM vault.documents d WHERE d.tenant = x.tenant AND d.pseudonym = x.learner)
"""
