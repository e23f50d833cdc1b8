"""Our appender with 64 callers against the stock recorder of the `eventsourcing` library, on one server.

Every event begins a stream of its own, as an award does, in both. Ours brings what the ledger promises: an expected
version, a command id, the request's key and fingerprint, three guards on streams that were read, a leaf; the shape
`award` adds the sealed values that an award has. The stock recorder runs in its default mode on one thread, which is
where it is fastest. Both write states of the same size and wait for the disk.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from uuid import UUID

import asyncpg
import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from tests.bench.figures import Figure, Sample, median_of
from tests.bench.place import Place
from tests.bench.sizes import Sizes
from tests.conftest import new_database
from tests.servers import PASSWORD, PostgresServer

from ledger.store.appender import Appender, Command, Request, Row, Status

CALLERS = 64
STATE_BYTES = 640  # what an award's envelope takes, without its sealed values
VALUE_BYTES = {"capability": 80, "identity": 240, "name": 90}
GUARDS = (("institution/bench", 1), ("achievement/bench", 1), ("learner/bench", 1))
TENANT = "inst_aaaaaaaaaaaaaaaaaaaaaaaaaa"
ROUTE = "POST /v1/awards"
TOPIC = "award.awarded"

Shape = Callable[[], Command]

# What a caller draws must not count: `randbytes` takes a tenth of the time of the system's randomness.
draw = random.Random(20_260_301).randbytes  # noqa: S311 - payload, not secrets


def event_only() -> Command:
    """One event with its expected version and command id: what the stock recorder also writes, and a leaf."""
    return Command(id=UUID(bytes=draw(16)), stream=_stream(), expected=0, rows=[_row()])


def guaranteed() -> Command:
    """The same as a request, judged against three streams that were read: every guarantee of the append."""
    return Command(
        id=UUID(bytes=draw(16)), stream=_stream(), expected=0, rows=[_row()], guards=GUARDS, request=_request()
    )


def award() -> Command:
    """The same with the sealed values of an award."""
    values = tuple((name, draw(size)) for name, size in VALUE_BYTES.items())
    return Command(
        id=UUID(bytes=draw(16)), stream=_stream(), expected=0, rows=[_row(values)], guards=GUARDS, request=_request()
    )


def _stream() -> str:
    return f"award/awd_{draw(13).hex()}"


def _row(values: tuple[tuple[str, bytes], ...] = ()) -> Row:
    return Row(TOPIC, b"\x01" + draw(32), draw(STATE_BYTES), values)


def _request() -> Request:
    return Request(TENANT, ROUTE, draw(32), draw(32))


class Ours:
    """The appender over `ledger.append`, as issuance runs it."""

    def __init__(self, dsn: str, callers: int = CALLERS) -> None:
        self._dsn, self._callers = dsn, callers

    def run(self, shape: Shape, seconds: float) -> Sample:
        """All callers append, one command after the other, for this long."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._run(shape, seconds))

    async def _run(self, shape: Shape, seconds: float) -> Sample:
        appender = Appender(self._dsn)
        running = asyncio.create_task(appender.run())
        try:
            await _begin_guarded(appender)
            before = await self._head()
            sample = await self._load(appender, shape, seconds)
            if await self._head() - before != len(sample.seconds):
                raise RuntimeError("the log does not hold what was acknowledged")
            return sample
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _load(self, appender: Appender, shape: Shape, seconds: float) -> Sample:
        took: list[float] = []
        clock = time.perf_counter
        began = clock()

        async def call() -> None:
            while (sent := clock()) - began < seconds:
                outcome = await appender.append(shape())
                took.append(clock() - sent)
                if outcome.status is not Status.APPENDED:
                    raise RuntimeError(f"not appended: {outcome.status.name}")

        async with asyncio.TaskGroup() as group:
            for _ in range(self._callers):
                group.create_task(call())
        return Sample(seconds=took, took_seconds=clock() - began)

    async def _head(self) -> int:
        connection = await asyncpg.connect(self._dsn)
        try:
            head: int = await connection.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0")
            return head
        finally:
            await connection.close()


async def _begin_guarded(appender: Appender) -> None:
    """The streams that guards name, at version 1; a second round finds them there."""
    for stream, _ in GUARDS:
        await appender.append(Command(id=UUID(bytes=draw(16)), stream=stream, expected=0, rows=[_row()]))


class Stock:
    """The library's recorder in its default mode, one thread, one event a transaction."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self._server, self._database = server, database

    def run(self, seconds: float) -> Sample:
        """Insert one event after the other for this long."""
        with closing(self._datastore()) as datastore:
            recorder = PostgresApplicationRecorder(datastore)
            recorder.create_table()
            before = recorder.max_notification_id() or 0
            took: list[float] = []
            clock = time.perf_counter
            began = clock()
            while (sent := clock()) - began < seconds:
                recorder.insert_events([StoredEvent(UUID(bytes=draw(16)), 1, TOPIC, draw(STATE_BYTES))])
                took.append(clock() - sent)
            sample = Sample(seconds=took, took_seconds=clock() - began)
            if (recorder.max_notification_id() or 0) - before != len(took):
                raise RuntimeError("the stock recorder does not hold what was acknowledged")
            return sample

    def _datastore(self) -> PostgresDatastore:
        return PostgresDatastore(self._database, "127.0.0.1", self._server.port, "ledger", PASSWORD)


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`append_vs_stock_64` and `append_p99_ms_64`, with the other shapes beside them."""
    with place.postgres() as server:
        dsn = new_database(server).issuance
        ours, stock = Ours(dsn), Stock(server, place.empty_database(server, "stock"))
        for shape in SHAPES:  # the tables' first pages, and statistics as a running ledger has them
            ours.run(shape, sizes.append_seconds / 3)
        stock.run(sizes.append_seconds / 3)
        place.settle(server)
        of_stock: list[Sample] = []
        of_ours: dict[Shape, list[Sample]] = {shape: [] for shape in SHAPES}
        for number in range(sizes.rounds):
            place.sample_disk(server.folder)
            of_stock.append(stock.run(sizes.append_seconds))
            for shape in SHAPES:
                of_ours[shape].append(ours.run(shape, sizes.append_seconds))
            place.say(f"append, round {number + 1} of {sizes.rounds}")
    return figures_of(of_stock, of_ours)


def figures_of(of_stock: Sequence[Sample], of_ours: Mapping[Shape, Sequence[Sample]]) -> list[Figure]:
    """The figures of interleaved rounds; the ratio is made within each round."""
    ratios = {
        shape: [mine.per_second / theirs.per_second for mine, theirs in zip(samples, of_stock, strict=True)]
        for shape, samples in of_ours.items()
    }
    p99 = {shape: [s.milliseconds(99) for s in samples] for shape, samples in of_ours.items()}
    return [
        Figure(
            name="append_vs_stock_64",
            unit="×",
            rounds=ratios[guaranteed],
            at_least=15,
            how=HOW,
            beside={
                "ours_events_per_s": median_of([s.per_second for s in of_ours[guaranteed]]),
                "stock_events_per_s": median_of([s.per_second for s in of_stock]),
                "ratio_event_only": median_of(ratios[event_only]),
                "ratio_with_sealed_values": median_of(ratios[award]),
            },
        ),
        Figure(
            name="append_p99_ms_64",
            unit="ms",
            rounds=p99[guaranteed],
            at_most=15,
            how=f"From the call of one of {CALLERS} callers to its answer after COMMIT, in the same rounds.",
            beside={
                "p50_ms": median_of([s.milliseconds(50) for s in of_ours[guaranteed]]),
                "p99_ms_event_only": median_of(p99[event_only]),
                "p99_ms_with_sealed_values": median_of(p99[award]),
                "stock_p50_ms": median_of([s.milliseconds(50) for s in of_stock]),
                "stock_p99_ms": median_of([s.milliseconds(99) for s in of_stock]),
            },
        ),
    ]


SHAPES: tuple[Shape, ...] = (event_only, guaranteed, award)
HOW = (
    f"Events a second of our appender with {CALLERS} callers, divided by those of the stock "
    "`PostgresApplicationRecorder` (default mode, one thread, synchronous), which ran just before it in the same "
    "round on the same server. Each of our commands carries a command id, an expected version, a request with its "
    "fingerprint, three guards and a leaf, and is answered after COMMIT; both write one new stream an event, with "
    f"{STATE_BYTES} bytes of state. The server has statistics and the log segments to reuse that its settings keep."
)
