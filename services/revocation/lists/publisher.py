"""What was touched is published: each state of a list once, by whichever process is first.

Rules. Publishing is an event, `status_list.published`, on a stream named by list and position, so that two processes
cannot publish the same state twice; its public statement binds the uncompressed bits. The projection signs what the
event says. What is touched within a tick is published together. Nothing is published from half-filled tables: the
projection must have seen the head of the log first.
"""

import asyncio
import hashlib

import msgspec
import structlog

from ledger import errors, ids
from ledger.codec import Actor, Fact
from ledger.events import StatusListPublished
from ledger.projector import Projector
from ledger.store import Store, Wish
from ledger.store.away import DATABASE_AWAY
from revocation.clock import now
from revocation.lists.bits import Bits

TICK_SECONDS = 0.05
IDLE_SECONDS = 1.0
RETRY_SECONDS = 0.5
AT_ONCE = 16
AWAY: tuple[type[Exception], ...] = (errors.Unavailable, *DATABASE_AWAY)

log = structlog.get_logger()


class Touched(msgspec.Struct, frozen=True):
    """A list whose published form is behind its bits, which are true up to `position`."""

    list_id: str
    tenant: str
    purpose: str
    length: int
    position: int


class Publisher:
    """Follows the projection `lists`."""

    def __init__(self, store: Store, projector: Projector, secret: bytes) -> None:
        self._store, self._projector, self._secret = store, projector, secret
        self._bits = Bits()

    async def run(self) -> None:
        """Publish until cancelled; while a server is away, keep trying."""
        done = 0
        while True:
            await self._projector.wait_for(done + 1, IDLE_SECONDS)
            try:
                done = await self._publish_all(done)
            except AWAY as error:
                log.warning("publishing interrupted", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(TICK_SECONDS)

    async def _publish_all(self, done: int) -> int:
        """Publish every list that was touched behind `done`; up to where all is published now."""
        head = await self._store.head()
        await self._projector.wait_for(head, IDLE_SECONDS)
        reached: int | None = await self._store.pool.fetchval(REACHED)
        if reached is None or reached < head:
            return done
        waiting = [Touched(*row) for row in await self._store.pool.fetch(TOUCHED, done)]
        for start in range(0, len(waiting), AT_ONCE):
            await asyncio.gather(*(self._publish(touched) for touched in waiting[start : start + AT_ONCE]))
        return reached

    async def _publish(self, touched: Touched) -> None:
        """Record what the list says as of its position; nothing when it is recorded already."""
        bits = await self._bits.at(self._store.pool, touched.list_id, touched.length, touched.position)
        event = StatusListPublished(
            list_id=touched.list_id,
            purpose=touched.purpose,
            digest=hashlib.sha256(bits).hexdigest(),
            position=touched.position,
        )
        stream = f"list/{touched.list_id}/{touched.position}"
        wish = Wish(
            tenant=touched.tenant,
            command=ids.caused_command(self._secret, "status_list.published", stream),
            actor=Actor(key="revocation", role="service"),
        )
        fact = Fact(event=event, at=now())
        await self._store.decide(stream, lambda history: [] if history else [fact], wish=wish)


REACHED = "SELECT position FROM revocation.positions WHERE name = 'lists'"
TOUCHED = """
SELECT l.list_id, l.tenant, l.purpose, l.length, l.touched FROM revocation.lists l
WHERE l.touched > $1 AND NOT EXISTS (
  SELECT FROM revocation.list_versions v WHERE v.list_id = l.list_id AND v.position >= l.touched)
ORDER BY l.touched
"""
