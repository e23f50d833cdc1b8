"""The group-commit appender: concurrent commands of one process share transactions (event-store §4).

Callers queue a command and await its outcome; one loop takes what is there, sends it as one call of `ledger.append`
over a connection of its own, answers, and repeats. No timer and no linger: while one batch commits the next gathers,
so nobody waits longer than one batch.

What may fail. A lost connection leaves the outcome unknown: the same batch is sent again, and what had committed
comes back as a duplicate. A poisoned command aborts its batch: the batch is halved until the command stands alone
with its error. A raised epoch means that this process was fenced off: everybody waiting is told, and it must stop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from ledger.errors import Unavailable
from ledger.store.away import DATABASE_AWAY

BATCH_COMMANDS = 512
BATCH_BYTES = 4 * 1024 * 1024
QUEUE_COMMANDS = 10_000
BACKOFF_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
CALL_TIMEOUT_SECONDS = 30.0
GIVE_UP_SECONDS = 10.0  # without a connection: waiters hear 503, their commands may still be sent again by them
FENCED = "55000"
NO_PARTITION = "23514"

Hint = Callable[[int], Awaitable[None]]

log = structlog.get_logger()


class Status(IntEnum):
    """What became of a command."""

    APPENDED = 0
    DUPLICATE = 1
    CONFLICT = 2
    GUARD_FAILED = 3
    TAKEN = 4


class Request(msgspec.Struct, frozen=True):
    """The HTTP request behind a command, as keyed hashes (ids.key_hash, ids.fingerprint)."""

    tenant: str
    route: str
    key_hash: bytes
    fingerprint: bytes


class Name(msgspec.Struct, frozen=True):
    """A name that may be taken once within a tenant, as a keyed hash; `kind` says what it names."""

    tenant: str
    kind: str
    hash: bytes


class Row(msgspec.Struct, frozen=True):
    """One event of a command: its columns and its sealed values (name, blob)."""

    topic: str
    leaf: bytes
    state: bytes
    values: tuple[tuple[str, bytes], ...] = ()


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What is appended whole or not at all: at least one row to one stream at an expected version (0: new)."""

    id: UUID
    stream: str
    expected: int
    rows: Sequence[Row]
    guards: Sequence[tuple[str, int]] = ()
    request: Request | None = None
    names: Sequence[Name] = ()

    @property
    def size_bytes(self) -> int:
        return sum(len(r.state) + len(r.leaf) + sum(len(blob) for _, blob in r.values) for r in self.rows)


class Outcome(msgspec.Struct, frozen=True):
    """The row that `ledger.append` answered; `first_position` is the original's for a duplicate, the
    holder's where a name is taken."""

    status: Status
    first_position: int | None
    current_version: int
    recorded_at: datetime


class Fenced(Exception):
    """Another epoch writes now; this process must stop."""


class Appender:
    """One per process. `run()` works until cancelled; `append()` may be called by any number of tasks."""

    def __init__(self, dsn: str, *, hint: Hint | None = None, log_id: int = 0) -> None:
        self._dsn, self._hint, self._log_id = dsn, hint, log_id
        self._queue: deque[tuple[Command, asyncio.Future[Outcome]]] = deque()
        self._arrived = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._epoch = 0
        self._fenced = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def append(self, command: Command) -> Outcome:
        """The outcome of `command`, after COMMIT. Raises Unavailable, Fenced or the command's own database error."""
        if self._fenced:
            raise Fenced("this process was fenced off")
        if len(self._queue) >= QUEUE_COMMANDS:
            raise Unavailable("Too many commands are waiting; try again shortly.", retry_after_seconds=1)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((command, future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Send batches until cancelled; waiters left then hear Unavailable."""
        try:
            while True:
                await self._arrived.wait()
                batch = self._take()
                if not self._queue:
                    self._arrived.clear()
                if batch:
                    await self._send(batch)
        finally:
            self._fail([future for _, future in self._queue], Unavailable("The service is stopping."))
            if self._connection is not None:
                self._connection.terminate()

    def _take(self) -> list[tuple[Command, asyncio.Future[Outcome]]]:
        """What may share one call, in queue order: no stream as target twice, no guard on a stream written here,
        no request and no name twice."""
        batch: list[tuple[Command, asyncio.Future[Outcome]]] = []
        later: list[tuple[Command, asyncio.Future[Outcome]]] = []
        ids: set[UUID] = set()
        claims: set[Request | Name] = set()
        written: set[str] = set()
        waiting: set[str] = set()  # streams of earlier commands that wait: order within a stream is kept
        size = 0
        while self._queue and len(batch) < BATCH_COMMANDS and size < BATCH_BYTES:
            command, future = self._queue.popleft()
            touched = {command.stream, *(stream for stream, _ in command.guards)}
            claimed = _claims_of(command)
            if command.id in ids or claimed & claims or touched & written or command.stream in waiting:
                later.append((command, future))
                waiting.add(command.stream)
                continue
            batch.append((command, future))
            ids.add(command.id)
            written.add(command.stream)
            claims |= claimed
            size += command.size_bytes
        self._queue.extendleft(reversed(later))
        return batch

    async def _send(self, batch: list[tuple[Command, asyncio.Future[Outcome]]]) -> None:
        futures = [future for _, future in batch]
        try:
            outcomes = await self._call_until_known([command for command, _ in batch])
        except Unavailable as error:
            self._fail(futures, error)
        except asyncpg.PostgresError as error:
            await self._split(batch, error)
        except asyncio.CancelledError:
            self._fail(futures, Unavailable("The service is stopping."))
            raise
        except Exception as error:
            # Nobody may wait for ever on a loop that died; the outcome is unknown, so a retry must ask again.
            log.exception("appender surprised", commands=len(batch))
            self._drop()
            self._fail(futures, Unavailable(f"The event store failed ({type(error).__name__}); send it again."))
        else:
            for future, outcome in zip(futures, outcomes, strict=True):
                if not future.done():  # a caller that went away does not withdraw its command
                    future.set_result(outcome)
            self._give_hint(outcomes, [command for command, _ in batch])

    async def _split(self, batch: list[tuple[Command, asyncio.Future[Outcome]]], error: asyncpg.PostgresError) -> None:
        if error.sqlstate == FENCED:
            self._fenced = True
            log.error("appender fenced", epoch=self._epoch)
            waiting = [future for _, future in (*batch, *self._queue)]
            self._queue.clear()
            self._fail(waiting, Fenced("this process was fenced off"))
        elif error.sqlstate == NO_PARTITION and "no partition" in str(error):
            log.error("no partition for the next position")
            self._fail([future for _, future in batch], Unavailable("The event store is full.", retry_after_seconds=60))
        elif len(batch) == 1:
            self._fail([batch[0][1]], error)
        else:
            half = len(batch) // 2
            await self._send(batch[:half])
            await self._send(batch[half:])

    async def _call_until_known(self, commands: Sequence[Command]) -> list[Outcome]:
        """Send the same arrays again until the database has said what became of them."""
        arguments, attempt, sent = _arrays(commands), 0, False
        deadline = asyncio.get_running_loop().time() + GIVE_UP_SECONDS
        while True:
            try:
                connection = await self._connected()
                sent = True
                whole = (self._log_id, self._epoch, *arguments)
                rows = await connection.fetch(APPEND, *whole, timeout=CALL_TIMEOUT_SECONDS)
                return [Outcome(Status(r["status"]), *tuple(r)[2:]) for r in rows]
            except DATABASE_AWAY as error:
                self._drop()
                log.warning("append connection lost", error=type(error).__name__, commands=len(commands))
                if asyncio.get_running_loop().time() > deadline:
                    said = (
                        "its outcome is not known; send it again with the same key" if sent else "nothing was recorded"
                    )
                    detail = f"The database does not answer; {said}."
                    raise Unavailable(detail, retry_after_seconds=2) from error
                await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
                attempt += 1

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            connection = await asyncpg.connect(self._dsn, timeout=5, server_settings={"application_name": "appender"})
            if not self._epoch:
                self._epoch = await connection.fetchval("SELECT epoch FROM ledger.logs WHERE log_id = $1", self._log_id)
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _fail(self, futures: Sequence["asyncio.Future[Outcome]"], error: Exception) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def _give_hint(self, outcomes: Sequence[Outcome], commands: Sequence[Command]) -> None:
        """Tell followers the head; never awaited by an answer, and a lost one costs at most their poll."""
        head = max(
            (
                o.first_position + len(c.rows) - 1
                for o, c in zip(outcomes, commands, strict=True)
                if o.status is Status.APPENDED and o.first_position is not None
            ),
            default=0,
        )
        if head and self._hint is not None:
            task = asyncio.get_running_loop().create_task(self._hinted(head))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hinted(self, head: int) -> None:
        if self._hint is not None:
            with suppress(Exception):  # a hint is a courtesy; the poll is the truth
                await self._hint(head)


APPEND = """
SELECT * FROM ledger.append($1::smallint, $2, $3::uuid[], $4::text[], $5::bigint[], $6::int[],
  $7::int[], $8::text[], $9::bytea[], $10::bytea[], $11::int[], $12::text[], $13::bigint[],
  $14::int[], $15::text[], $16::bytea[], $17::int[], $18::text[], $19::text[], $20::bytea[], $21::bytea[],
  $22::int[], $23::text[], $24::text[], $25::bytea[])
"""


def _claims_of(command: Command) -> set[Request | Name]:
    """What only one command of a batch may claim: its names, and the request that it answers."""
    request = command.request and msgspec.structs.replace(command.request, fingerprint=b"")
    return {*command.names, *([request] if request else [])}


def _arrays(commands: Sequence[Command]) -> list[list[Any]]:
    """The parallel arrays of the call, from `p_cmd` on."""
    rows = [(o, row) for o, command in enumerate(commands, 1) for row in command.rows]
    guards = [(o, *guard) for o, command in enumerate(commands, 1) for guard in command.guards]
    values = [(k, *value) for k, (_, row) in enumerate(rows, 1) for value in row.values]
    requests = [(o, command.request) for o, command in enumerate(commands, 1) if command.request is not None]
    names = [(o, name) for o, command in enumerate(commands, 1) for name in command.names]
    return [
        [c.id for c in commands],
        [c.stream for c in commands],
        [c.expected for c in commands],
        [len(c.rows) for c in commands],
        [o for o, _ in rows],
        [row.topic for _, row in rows],
        [row.leaf for _, row in rows],
        [row.state for _, row in rows],
        *([g[i] for g in guards] for i in range(3)),
        *([v[i] for v in values] for i in range(3)),
        [o for o, _ in requests],
        [r.tenant for _, r in requests],
        [r.route for _, r in requests],
        [r.key_hash for _, r in requests],
        [r.fingerprint for _, r in requests],
        [o for o, _ in names],
        [n.tenant for _, n in names],
        [n.kind for _, n in names],
        [n.hash for _, n in names],
    ]
