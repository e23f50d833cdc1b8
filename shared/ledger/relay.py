"""The relay: the only way from the store to the bus. Position n becomes sequence n, for ever.

It follows the log and publishes with the sequence that must precede; whatever goes wrong (a rejected message, a lost
ack, a wiped stream, a server restored from a backup, a full disk) ends in the same place: look what the stream holds,
compare with the store, go on from there. Two relays at once do no harm. It halts, loudly, where two histories differ:
then a person decides, and nothing is published meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from ledger import codec
from ledger.bus import ApiError, Bus
from ledger.bus.headers import headers_for
from ledger.bus.stream import FULL, Message, Rejected, last_sequence, leaf_at, publish_batch, publish_singles
from ledger.codec import Recorded
from ledger.errors import Unavailable
from ledger.events import EVENTS
from ledger.settings import Settings
from ledger.store import Store
from ledger.store.away import DATABASE_AWAY

BATCH_FROM = 64
READ_LIMIT = 1000
LOOK_SECONDS = 5.0
POLL_SECONDS = 0.25
BACKOFF_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
FULL_SECONDS = 2.0

log = structlog.get_logger()


class Halted(Exception):
    """The stream and the store tell two histories."""


class Relay:
    """Publishes every event of the log, in order, exactly once."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store, self._bus = store, bus
        self._source = f"{settings.public_url}/log"
        self.published = 0  # the last position that the stream is known to hold
        self.head = 0
        self.resyncs: Counter[str] = Counter()
        self.halted: str | None = None

    @property
    def lag(self) -> int:
        """How many events wait to be published, as of the last look."""
        return max(0, self.head - self.published)

    async def run(self) -> None:
        """Work until cancelled. A halt stays: restart the service when the histories were mended."""
        attempt = 0
        while self.halted is None:
            before = self.published
            try:
                await self._follow(await self._reconcile())
                continue
            except Halted as error:
                self.halted = str(error)
                log.error("relay halted", reason=self.halted)
                break
            except (Rejected, Unavailable, ApiError) as error:
                self._resync(error)
                pause = FULL_SECONDS if getattr(error, "code", None) in FULL else None
            except DATABASE_AWAY as error:
                self._resync(error)
                pause = None
            except Exception as error:  # whatever it is, looking again is the cure
                log.exception("relay interrupted", published=self.published)
                self._resync(error)
                pause = None
            attempt = 0 if self.published > before else min(attempt + 1, len(BACKOFF_SECONDS) - 1)
            if self._bus.connected:
                await asyncio.sleep(pause or BACKOFF_SECONDS[attempt])
            else:
                await self._bus.until_connected(BACKOFF_SECONDS[-1])
        await asyncio.Event().wait()

    async def _reconcile(self) -> int:
        """The sequence after which to go on. Raises Halted where the stream knows what the store does not."""
        before, self.head = self.head, await self._store.head()  # also while the bus is away: the lag is known then
        if self.head < before:
            raise Halted(f"the store holds {self.head} events and held {before}: it lost history")
        last = await last_sequence(self._bus)
        if last > self.head:  # what was appended and published by another relay since that look?
            self.head = await self._store.head()
        if last > self.head:
            raise Halted(f"the stream holds {last} events, the store {self.head}: the store lost history")
        if last > 0:
            on_stream = await leaf_at(self._bus, last)
            if on_stream is not None and on_stream != (await self._store.at(last)).leaf:
                raise Halted(f"position {last} differs between the stream and the store")
        self.published = last
        return last

    async def _follow(self, cursor: int) -> None:
        """Publish what comes, until something does not fit or it was quiet for long."""
        loop = asyncio.get_running_loop()
        looked, connections = loop.time(), self._bus.connections
        waker = self._store.waker()
        try:
            while True:
                waker.clear()
                rows = await self._store.read(cursor, READ_LIMIT)
                if rows:
                    cursor = await self._publish(cursor, rows)
                    looked = loop.time()
                elif loop.time() - looked > LOOK_SECONDS or self._bus.connections != connections:
                    return  # a tail can vanish while nothing is published
                else:
                    await self._store.woken(waker, POLL_SECONDS)
        finally:
            self._store.drop_waker(waker)

    async def _publish(self, cursor: int, rows: Sequence[Recorded]) -> int:
        for expected, row in enumerate(rows, cursor + 1):
            if row.position != expected:
                raise Halted(f"the log jumps from {expected - 1} to {row.position}")
        self.head = max(self.head, rows[-1].position)
        messages = [self._message(row) for row in rows]
        publish = publish_singles if len(messages) < BATCH_FROM else publish_batch
        self.published = await publish(self._bus, messages)
        return self.published

    def _message(self, row: Recorded) -> Message:
        subject = f"ledger.{row.tenant}.{row.topic}.v{EVENTS[row.topic].VERSION}"
        return Message(row.position, subject, headers_for(row, self._source), codec.public_body(row))

    def _resync(self, error: Exception) -> None:
        match error:
            case Unavailable():
                reason = "away"
            case ApiError(code=code) | Rejected(code=code):
                reason = str(code)
            case _:
                reason = type(error).__name__
        self.resyncs[reason] += 1
        if self.resyncs[reason] & (self.resyncs[reason] - 1) == 0:  # 1, 2, 4, 8 …: an outage must not fill the disk
            log.info("relay resync", reason=reason, times=self.resyncs[reason], published=self.published)
