"""Projections: tables that follow the log, each event's effect and the position in one transaction.

A projection follows JetStream and reads the store by position whenever the stream is silent, behind or gone: the same
events in the same order, so changing over in mid-flight is harmless and nothing waits for NATS. The position row
decides what was applied. A projection with `private = True` needs fields or the subject that the bus never carries:
for it the stream is the signal and the store the source. An event that a projection cannot apply stops it loudly; it
is never skipped.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any, Protocol

import structlog

from ledger import codec
from ledger.bus import ApiError, Bus, BusMessage, pull
from ledger.bus.headers import read_headers
from ledger.bus.stream import NAME
from ledger.codec import Recorded, Seen
from ledger.errors import Unavailable
from ledger.store import Store
from ledger.store.away import DATABASE_AWAY
from ledger.tables import tables_of

RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
BATCH = 500
STREAM_PAUSE_SECONDS = 1.0  # after the stream failed, the store alone is followed for this long

AWAY: tuple[type[Exception], ...] = (Unavailable, *DATABASE_AWAY)
log = structlog.get_logger()


class Projection(Protocol):
    """What a service brings: its name (the key of its position), its schema, and the effect of one event.

    The schema holds `positions(name text PRIMARY KEY, position bigint NOT NULL)`.
    """

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> str: ...

    @property
    def private(self) -> bool: ...

    async def apply(self, connection: Any, seen: Seen) -> None:
        """Write what this event changes, on the transaction's connection."""
        ...


class Projector:
    """Runs one projection."""

    def __init__(self, projection: Projection, store: Store, bus: Bus | None = None) -> None:
        self._projection, self._store, self._bus = projection, store, bus
        self._moved = asyncio.Condition()
        self.position = -1  # unknown until the first look

    @property
    def name(self) -> str:
        """The projection's name."""
        return self._projection.name

    async def run(self) -> None:
        """Follow until cancelled. What goes wrong is said and tried again, for ever: nothing is skipped."""
        attempt = 0
        while True:
            try:
                await self._open()
                async with aclosing(self._batches()) as batches:
                    async for batch in batches:
                        await self._apply_each(batch)
                        attempt = 0
            except AWAY as error:
                log.warning("projection interrupted", projection=self._projection.name, error=type(error).__name__)
            except Exception:
                log.exception("projection stopped at an event", projection=self._projection.name, after=self.position)
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def wait_for(self, position: int, timeout_seconds: float) -> bool:
        """Whether the projection has seen this position, after waiting for it for a bounded time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._moved:
                await self._moved.wait_for(lambda: self.position >= position)
        return self.position >= position

    async def apply(self, batch: Sequence[Seen]) -> None:
        """Apply a batch in one transaction: what was applied before is left out, a gap is an error."""
        async with self._store.pool.acquire() as connection, connection.transaction():
            done = await connection.fetchval(self._sql(LOCK), self._projection.name)
            if done is None:
                raise RuntimeError(f"{self._projection.name}: the position row is gone; a rebuild begins anew")
            for seen in batch:
                if seen.position <= done:
                    continue
                if seen.position != done + 1:
                    raise RuntimeError(f"{self._projection.name}: position {seen.position} after {done}")
                await self._projection.apply(connection, seen)
                done = seen.position
            await connection.execute(self._sql(MOVE), self._projection.name, done)
        await self._reached(done)

    async def _apply_each(self, batch: Sequence[Seen]) -> None:
        """Apply a batch; where an event in it cannot be applied, everything before that event still is."""
        try:
            await self.apply(batch)
        except AWAY:
            raise
        except Exception:
            if len(batch) == 1:
                raise
            for seen in batch:
                await self.apply([seen])

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._projection.schema)

    async def _open(self) -> None:
        await self._store.pool.execute(self._sql(BEGIN), self._projection.name)
        await self._reached(await self._store.pool.fetchval(self._sql(READ), self._projection.name))

    async def _reached(self, position: int) -> None:
        async with self._moved:
            self.position = position
            self._moved.notify_all()

    async def _batches(self) -> AsyncGenerator[list[Seen], None]:
        """What comes next, from the stream while it flows and from the store when it does not."""
        while True:
            async with aclosing(self._from_stream()) as streamed:
                async for batch in streamed:
                    if new := self._next(batch):
                        yield new
                    elif rows := await self._store.read(self.position, BATCH):  # silent, behind, or with a hole
                        yield self._stored(rows)
            async with aclosing(self._from_store()) as stored:
                async for rows in stored:
                    yield self._stored(rows)

    async def _from_stream(self) -> AsyncGenerator[list[Seen], None]:
        """The stream's events behind our position; ends when the stream is not to be had."""
        if self._bus is None or not self._bus.connected:
            return
        try:
            async with aclosing(pull(self._bus, NAME, self.position)) as arriving:
                async for messages in arriving:
                    yield await self._seen(messages)
        except (Unavailable, ApiError) as error:
            log.info("projection reads the store", projection=self._projection.name, reason=str(error)[:200])

    async def _from_store(self) -> AsyncGenerator[list[Recorded], None]:
        """The store's events for a while, woken by appends of this process and by the poll."""
        loop = asyncio.get_running_loop()
        began, waker = loop.time(), self._store.waker()
        try:
            while loop.time() - began < STREAM_PAUSE_SECONDS or not (self._bus and self._bus.connected):
                waker.clear()
                if rows := await self._store.read(self.position, BATCH):
                    yield rows
                else:
                    await self._store.woken(waker)
        finally:
            self._store.drop_waker(waker)

    async def _seen(self, messages: Sequence[BusMessage]) -> list[Seen]:
        if not messages:
            return []
        if self._projection.private:
            return self._stored(await self._store.read(self.position, BATCH))
        return [_read(message) for message in messages]

    def _stored(self, rows: Sequence[Recorded]) -> list[Seen]:
        return [codec.seen(row, private=self._projection.private) for row in rows]

    def _next(self, batch: Sequence[Seen]) -> list[Seen]:
        """What of a batch follows our position without a hole."""
        new, expected = [], self.position + 1
        for seen in batch:
            if seen.position == expected:
                new.append(seen)
                expected += 1
        return new


def _read(message: BusMessage) -> Seen:
    headers = read_headers(message.headers)
    if headers.position != message.sequence:
        raise RuntimeError(f"sequence {message.sequence} of the stream holds position {headers.position}")
    return codec.seen_from_public(headers, message.body)


async def caught_up(projectors: Sequence[Projector], store: Store, timeout_seconds: float = 1.0) -> bool:
    """Whether all of them have seen what the log holds at this moment, after waiting for it for a bounded time."""
    head = await store.head()
    return all([await projector.wait_for(head, timeout_seconds) for projector in projectors])


async def rebuild(projections: Sequence[Projection], store: Store) -> dict[str, str]:
    """Empty the tables of the projections' schema and fill them from the log; the new tables' hashes.

    All projections of one schema are rebuilt together, in batches; while it runs, readers see half-filled tables.
    """
    schema = projections[0].schema
    async with store.pool.acquire() as connection, connection.transaction():
        tables = ", ".join(f'"{schema}"."{table}"' for table in await tables_of(connection, schema))
        await connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    head = await store.head()
    for projection in projections:
        projector = Projector(projection, store)
        await projector._open()
        while projector.position < head:
            rows = await store.read(projector.position, BATCH)
            await projector.apply([codec.seen(row, private=projection.private) for row in rows])
    async with store.pool.acquire() as connection:
        return await table_hashes(connection, schema)


async def table_hashes(connection: Any, schema: str) -> dict[str, str]:
    """SHA-256 of every table of a schema: its rows as JSON text, sorted, so that physical order plays no part."""
    hashes = {}
    for table in await tables_of(connection, schema):
        digest = hashlib.sha256()
        statement = f'SELECT row_to_json(t)::text AS row FROM "{schema}"."{table}" t ORDER BY 1'  # noqa: S608 - catalogue names
        async with connection.transaction():
            async for record in connection.cursor(statement, prefetch=1000):
                digest.update(record["row"].encode() + b"\n")
        hashes[table] = digest.hexdigest()
    return hashes


BEGIN = "INSERT INTO {schema}.positions (name, position) VALUES ($1, 0) ON CONFLICT DO NOTHING"
READ = "SELECT position FROM {schema}.positions WHERE name = $1"
LOCK = "SELECT position FROM {schema}.positions WHERE name = $1 FOR UPDATE"
MOVE = "UPDATE {schema}.positions SET position = $2 WHERE name = $1"
