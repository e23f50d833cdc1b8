"""`Store`: what services hold. Reading by position and by stream, deciding, following."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from ledger import codec, errors
from ledger.codec import Actor, Draw, Fact, Place, Recorded
from ledger.store.appender import Appender, Command, Hint, Name, Request, Row, Status

POLL_SECONDS = 0.25
PERSON = "person"
READ_LIMIT = 1000
DECIDE_TRIES = 20
CACHED_STREAMS = 10_000
CACHED_EVENTS_A_STREAM = 100
POOL_CONNECTIONS = 8
POOL_TIMEOUT_SECONDS = 10.0

Rule = Callable[..., Sequence[Fact]]


class Sealer(Protocol):
    """What seals an event's personal values before the append; `ledger.vault` is the one."""

    async def seal(
        self, tenant: str, subject: str | None, event_id: str, openings: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """name → blob for name → salt ‖ JCS(value)."""
        ...


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants a decision: the tenant that is written to, the command, the actor, and the request if there is one.
    `person` is the institution's own id of whoever decided, which is sealed beside each event."""

    tenant: str
    command: UUID
    actor: Actor
    request: Request | None = None
    person: str | None = None


class Decision(msgspec.Struct, frozen=True):
    """The events that answer a wish, as stored, and whether an earlier try had already made them."""

    events: tuple[Recorded, ...]
    replayed: bool = False


class NameTaken(errors.Conflict):
    """A name that may be taken once belongs to another event, the one at `position`."""

    def __init__(self, position: int) -> None:
        super().__init__("That name is taken.")
        self.position = position


class Store:
    """One per process. `open` connects, `close` ends; both servers may come and go in between."""

    def __init__(self, pool: asyncpg.Pool, appender: Appender, sealer: Sealer | None, draw: Draw) -> None:
        self.pool = pool
        self._appender, self._sealer, self._draw = appender, sealer, draw
        self._wakers: set[asyncio.Event] = set()
        self._streams: OrderedDict[str, tuple[Recorded, ...]] = OrderedDict()
        self._forgotten = 0
        self._running: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, dsn: str, *, hint: Hint | None = None, sealer: Sealer | None = None, draw: Draw = secrets.token_bytes
    ) -> "Store":
        """A store over the service's own login. Raises what asyncpg raises when the database is not there."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=POOL_CONNECTIONS,
            command_timeout=30,
            timeout=POOL_TIMEOUT_SECONDS,
            reset=_keep_as_it_is,
        )
        store: Store

        async def told(head: int) -> None:
            store.wake()
            if hint is not None:
                await hint(head)

        appender = Appender(dsn, hint=told)
        store = cls(pool, appender, sealer, draw)
        store._running = asyncio.get_running_loop().create_task(appender.run())
        return store

    async def close(self) -> None:
        """Stop appending and give the connections back."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)  # our own cancellation passes through
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    def use_sealer(self, sealer: Sealer) -> None:
        """Seal personal values with this vault, which needs the store's pool and so comes after it."""
        self._sealer = sealer

    # -- reading

    async def head(self) -> int:
        """The position of the last event, 0 for an empty log."""
        position: int = await self.pool.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0")
        return position

    async def read(self, after: int, limit: int = READ_LIMIT) -> list[Recorded]:
        """Up to `limit` events behind position `after`, in position order, without a gap."""
        rows = await self.pool.fetch(READ, after, limit)
        return [_recorded(row) for row in rows]

    async def at(self, position: int) -> Recorded:
        """The event at a position. Raises NotFound."""
        for recorded in await self.read(position - 1, 1):
            if recorded.position == position:
                return recorded
        raise errors.NotFound(f"The log has no position {position}.")

    async def load(self, stream: str) -> list[Recorded]:
        """A stream's whole history, versions 1…n; empty where there is none."""
        return [_recorded(row) for row in await self.pool.fetch(LOAD, stream)]

    async def load_cached(self, stream: str, *, fresh: bool = False) -> tuple[Recorded, ...]:
        """A history that may be behind: good as a guard, which the append checks, and for answers about the past.
        `fresh` reads it anew, for everybody."""
        if fresh:
            self.forget(stream)
        if (history := self._streams.get(stream)) is not None:
            self._streams.move_to_end(stream)
            return history
        began = self._forgotten
        history = tuple(await self.load(stream))
        # What was loaded while something was forgotten may be what should be forgotten: it is not kept.
        if history and len(history) <= CACHED_EVENTS_A_STREAM and began == self._forgotten:
            self._keep(stream, history)
        return history

    async def there(self, streams: Sequence[str]) -> set[str]:
        """Which of these streams have a history, by one question; of the others it is remembered that they have none,
        which is good as a guard like every cached history."""
        began = self._forgotten
        found = {row["stream_id"] for row in await self.pool.fetch(THERE, streams)}
        if began == self._forgotten:
            for stream in streams:
                if stream not in found:
                    self._keep(stream, ())
        return found

    def _keep(self, stream: str, history: tuple[Recorded, ...]) -> None:
        self._streams[stream] = history
        if len(self._streams) > CACHED_STREAMS:
            self._streams.popitem(last=False)

    def forget(self, stream: str) -> None:
        """Drop a cached history: something was appended to it."""
        self._forgotten += 1
        self._streams.pop(stream, None)

    def wake(self) -> None:
        """Something was appended: followers look now rather than at their next poll."""
        for waker in self._wakers:
            waker.set()

    def waker(self) -> asyncio.Event:
        """An event that is set whenever something was appended, until `drop_waker`."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        return waker

    def drop_waker(self, waker: asyncio.Event) -> None:
        """This waker is no longer needed."""
        self._wakers.discard(waker)

    async def woken(self, waker: asyncio.Event, seconds: float = POLL_SECONDS) -> None:
        """Wait until something was appended, or for the poll that makes up for a lost hint."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: before Python 3.12 it may swallow a cancellation
                await waker.wait()

    async def follow(self, after: int) -> AsyncIterator[list[Recorded]]:
        """Everything behind `after`, for ever, in batches. A hole is an alarm (RuntimeError), never waited for."""
        waker = self.waker()
        try:
            while True:
                waker.clear()
                batch = await self.read(after)
                for expected, recorded in enumerate(batch, after + 1):
                    if recorded.position != expected:
                        raise RuntimeError(f"the log jumps from {expected - 1} to {recorded.position}")
                if batch:
                    after = batch[-1].position
                    yield batch
                    continue
                await self.woken(waker)
        finally:
            self.drop_waker(waker)

    # -- deciding

    async def decide(
        self,
        stream: str,
        rule: Rule,
        *,
        wish: Wish,
        reads: Sequence[str] = (),
        names: Sequence[Name] = (),
        new: bool = False,
    ) -> Decision:
        """Ask `rule(history, *read histories)` for facts and append them to `stream`.

        The streams in `reads` are guards: the append holds only if they are still as the rule saw them, else the
        rule is asked again. `names` are taken by the same append. `new` says that the stream is most likely not there
        yet and that the caller has looked for an earlier try, so nothing is read at first. A retry of the same request
        is answered from the first one's events. Raises KeyReused, what the rule raises, NameTaken, Unavailable, or
        Conflict when others kept changing the streams.
        """
        if not new and (earlier := await self.earlier(wish)) is not None:
            return earlier
        fresh = not reads
        for _ in range(DECIDE_TRIES):
            history = [] if new else await self.load(stream)
            if made := tuple(r for r in history if r.command_id == wish.command):
                return Decision(made, replayed=True)
            seen = [await self.load_cached(name, fresh=fresh) for name in reads]
            facts = _asked(rule, history, seen, sure=fresh)
            if not facts and fresh:
                return Decision(())
            if not facts:
                # Nothing is appended, so no guard would notice that a cached history is behind: look, and ask again.
                fresh = True
                continue
            command = await self._command(stream, len(history), facts, wish)
            guards = [(n, len(h)) for n, h in zip(reads, seen, strict=True)]
            command = msgspec.structs.replace(command, guards=guards, names=names)
            outcome = await self._appender.append(command)
            match outcome.status:
                case Status.APPENDED:
                    self.forget(stream)
                    return Decision(_appended(command, outcome.first_position or 0, outcome.recorded_at))
                case Status.DUPLICATE:
                    if (earlier := await self.earlier(wish)) is not None:
                        return earlier
                    new = False
                case Status.TAKEN:
                    raise NameTaken(outcome.first_position or 0)
                case Status.CONFLICT | Status.GUARD_FAILED:
                    new = False
                    for name in reads:
                        self.forget(name)
        raise errors.Conflict("Others kept changing this at the same time; try again.")

    async def earlier(self, wish: Wish) -> Decision | None:
        """The events of an earlier try of the same request. Raises KeyReused when the request was another one."""
        if wish.request is None:
            return None
        request = wish.request
        row = await self.pool.fetchrow(REQUEST, request.tenant, request.route, request.key_hash)
        if row is None:
            return None
        if row["fingerprint"] != request.fingerprint:
            raise errors.KeyReused("This Idempotency-Key was used with another request; take a fresh key.")
        events = [r for r in await self.read(row["position"] - 1, 100) if r.command_id == wish.command]
        return Decision(tuple(events), replayed=True)

    async def _command(self, stream: str, version: int, facts: Sequence[Fact], wish: Wish) -> Command:
        rows = []
        for ordinal, decided in enumerate(facts):
            fact = decided
            if wish.person is not None:
                fact = msgspec.structs.replace(decided, personal={**decided.personal, PERSON: wish.person})
            place = Place(
                tenant=wish.tenant,
                stream=stream,
                version=version + 1 + ordinal,
                command=wish.command,
                ordinal=ordinal,
                actor=wish.actor,
            )
            encoded = codec.encode(fact, place, self._draw)
            values: dict[str, bytes] = {}
            if encoded.openings:
                if self._sealer is None:
                    raise RuntimeError("personal values without a vault to seal them")
                values = await self._sealer.seal(wish.tenant, fact.subject, encoded.event_id, encoded.openings)
            rows.append(Row(encoded.topic, encoded.leaf, encoded.state, tuple(values.items())))
        return Command(id=wish.command, stream=stream, expected=version, rows=rows, request=wish.request)


def _asked(
    rule: Rule, history: Sequence[Recorded], seen: Sequence[Sequence[Recorded]], *, sure: bool
) -> Sequence[Fact]:
    """What the rule decides; a refusal counts only when what it saw is sure to be up to date."""
    try:
        return rule(history, *seen)
    except errors.LedgerError:
        if sure:
            raise
        return ()


async def _keep_as_it_is(_: asyncpg.Connection) -> None:
    """Nothing of ours leaves a session's settings, cursors or listeners behind a transaction, so giving a connection
    back costs no round trip (by default it is as many statements again as were asked)."""


READ = """
SELECT log_id, position, stream_id, version, command_id, topic, recorded_at, leaf, state
FROM ledger.events WHERE log_id = 0 AND position > $1 ORDER BY position LIMIT $2
"""
LOAD = """
SELECT log_id, position, stream_id, version, command_id, topic, recorded_at, leaf, state
FROM ledger.load(0::smallint, $1) ORDER BY version
"""
THERE = "SELECT stream_id FROM ledger.streams WHERE log_id = 0 AND stream_id = ANY($1)"
REQUEST = """
SELECT fingerprint, position FROM ledger.requests WHERE log_id = 0 AND tenant = $1 AND route = $2 AND key_hash = $3
"""


def _recorded(row: Any) -> Recorded:
    return Recorded(
        log_id=row[0],
        position=row[1],
        stream=row[2],
        version=row[3],
        command_id=UUID(bytes=row[4].bytes),  # asyncpg's own UUID type is not the one that msgspec knows
        topic=row[5],
        recorded_at=row[6],
        leaf=row[7],
        state=row[8],
    )


def _appended(command: Command, first: int, recorded_at: Any) -> tuple[Recorded, ...]:
    return tuple(
        Recorded(
            log_id=0,
            position=first + i,
            stream=command.stream,
            version=command.expected + 1 + i,
            command_id=command.id,
            topic=row.topic,
            recorded_at=recorded_at,
            leaf=row.leaf,
            state=row.state,
        )
        for i, row in enumerate(command.rows)
    )
