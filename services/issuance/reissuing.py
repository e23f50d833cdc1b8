"""What a key signed, and issuing it anew under the keys of now, until all of it is: a follower in every process.

Each document is corrected once for an order, by a command that follows from order and award: a crash, or a second
process, finds what is done. What cannot be issued anew (revoked, suspended, ended, erased) is left out and counted.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import structlog

from issuance import correcting, signing_keys
from issuance.clock import now
from issuance.parts import Issuance
from issuance.signing import TRANSIENT
from issuance.signing_keys import OrderReissue, Span
from ledger import errors, ids
from ledger.codec import Actor, Recorded
from ledger.events import ReissueOrdered
from ledger.store import Decision, Wish

SWEEP_SECONDS = 2.0
AT_ONCE = 4
PAGE = 100

log = structlog.get_logger()


class SignedDocument(msgspec.Struct, frozen=True):
    """A document of an award that a key signed: `current` says that no correction replaced it, `before_compromise`
    that it was recorded before the time from which the key may have been in other hands (null: it never was)."""

    position: int
    award_id: str
    learner_id: str
    recorded_at: datetime
    standing: str
    current: bool
    before_compromise: bool | None


def stream_of(key_id: str) -> str:
    """Where the orders of a key lie."""
    return f"access/reissue-{key_id}"


async def signed(
    issuance: Issuance,
    tenant: str,
    span: Span,
    *,
    after: int,
    limit: int,
    times: Sequence[datetime | None] = (None, None),
) -> list[SignedDocument]:
    """Up to `limit` documents that the key signed behind position `after`, oldest first, recorded between two times."""
    bounds = (tenant, max(span.added, after), span.ended)
    rows = await issuance.store.pool.fetch(SIGNED, *bounds, limit, *times)
    return [_document(row, span) for row in rows]


async def left(issuance: Issuance, tenant: str, span: Span) -> int:
    """How many current documents bear the key's signature."""
    count: int = await issuance.store.pool.fetchval(LEFT, tenant, span.added, span.ended)
    return count


async def order(issuance: Issuance, wish: Wish, key_id: str, data: OrderReissue) -> Decision:
    """Record the order; the follower carries it out. Raises NotFound or Refused."""
    await issuance.caught_up()
    institution, at = f"institution/{wish.tenant}", now()
    span = signing_keys.span_of(key_id, await issuance.store.load(institution))
    key = (key_id, await left(issuance, wish.tenant, span))
    return await issuance.store.decide(
        stream_of(key_id),
        lambda history, profile: signing_keys.order_reissue(data, history, profile, key=key, at=at),
        wish=wish,
        reads=(institution,),
    )


async def sweep(issuance: Issuance) -> None:
    """For ever: carry out what was ordered."""
    while True:
        with suppress(*TRANSIENT):
            for row in await issuance.store.pool.fetch("SELECT key_id, tenant FROM issuance.reissues"):
                await _carry_out(issuance, row["tenant"], row["key_id"])
        await asyncio.sleep(SWEEP_SECONDS)


async def _carry_out(issuance: Issuance, tenant: str, key_id: str) -> None:
    found = signing_keys.reissue_of(await issuance.store.load(stream_of(key_id)))
    if found is None or found.completed is not None:
        return  # our table is behind
    span = signing_keys.span_of(key_id, await issuance.store.load(f"institution/{tenant}"))
    after = 0
    while page := await issuance.store.pool.fetch(CURRENT, tenant, max(span.added, after), span.ended, PAGE):
        for start in range(0, len(page), AT_ONCE):
            awards = [row["award_id"] for row in page[start : start + AT_ONCE]]
            await asyncio.gather(*(_reissue(issuance, found.ordered, award) for award in awards))
        after = page[-1]["position"]
    await issuance.caught_up()
    count, at = await left(issuance, tenant, span), now()
    wish = _wish(issuance, found.ordered, "completed")
    await issuance.store.decide(
        stream_of(key_id), lambda history: signing_keys.complete_reissue(history, left=count, at=at), wish=wish
    )
    await issuance.caught_up()
    log.info("issued anew", key=key_id, left=count)


async def _reissue(issuance: Issuance, ordered: Recorded, award_id: str) -> None:
    event = ordered.event
    if not isinstance(event, ReissueOrdered):
        raise TypeError("an order is one")
    try:
        await correcting.reissue(issuance, _wish(issuance, ordered, award_id), award_id, event.reason_code)
    except errors.Unavailable:
        raise
    except errors.LedgerError as error:
        log.warning("document not issued anew", award=award_id, reason=error.code)


def _wish(issuance: Issuance, ordered: Recorded, what: str) -> Wish:
    """A command of whoever gave the order."""
    cause = f"{ordered.position}/{what}"
    actor: dict[str, Any] = ordered.actor
    return Wish(
        tenant=ordered.tenant,
        command=ids.caused_command(issuance.settings.server_secret, "reissue", cause),
        actor=Actor(**actor),
    )


def _document(row: Any, span: Span) -> SignedDocument:
    before = None if span.compromised is None else row["recorded_at"] < span.compromised
    return SignedDocument(**row, before_compromise=before)


DOCUMENTS = """
FROM (
  SELECT position, award_id, tenant, pseudonym, recorded_at FROM issuance.awards
  WHERE tenant = $1 AND position > $2 AND position < $3
  UNION ALL
  SELECT position, award_id, tenant, pseudonym, recorded_at FROM issuance.corrections
  WHERE tenant = $1 AND position > $2 AND position < $3) d
"""
REPLACED = "EXISTS (SELECT FROM issuance.corrections c WHERE c.award_id = d.award_id AND c.position > d.position)"
SIGNED = f"""
SELECT d.position, d.award_id, d.pseudonym AS learner_id, d.recorded_at, a.standing, NOT {REPLACED} AS current
{DOCUMENTS} JOIN issuance.awards a USING (award_id)
WHERE ($5::timestamptz IS NULL OR d.recorded_at > $5) AND ($6::timestamptz IS NULL OR d.recorded_at < $6)
ORDER BY d.position LIMIT $4
"""
CURRENT = f"SELECT d.position, d.award_id {DOCUMENTS} WHERE NOT {REPLACED} ORDER BY d.position LIMIT $4"
LEFT = f"SELECT count(*) {DOCUMENTS} WHERE NOT {REPLACED}"
