"""The measuring itself: it counts what happened, judges by the target, and writes both files."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from tests import servers
from tests.bench import appending
from tests.bench.appending import Ours, Stock
from tests.bench.award_load import Job, load
from tests.bench.figures import Figure, Sample, percentile
from tests.bench.following import RATE_PER_S, one_round
from tests.bench.machine import Machine, disk_sample, machine
from tests.bench.place import Place
from tests.bench.report import as_json, as_page
from tests.bench.sizes import TINY, sizes_of
from tests.conftest import Database, new_database
from tests.servers import PostgresServer

MACHINE = Machine(
    cores=2, system="Linux", python="3.11", packages={"asyncpg": "1"}, fdatasync_per_s=(900.0, 1000.0)
)  # fmt: skip


def figure(*rounds: float, at_least: float | None = None, at_most: float | None = None) -> Figure:
    return Figure(name="some_figure", unit="ms", rounds=rounds, at_least=at_least, at_most=at_most, how="Measured.")


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert [percentile(values, p) for p in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_figure_is_the_median_of_its_rounds_and_says_how_far_they_spread() -> None:
    assert figure(3, 100, 1).against() == {
        "target": None, "met": None, "rounds": 3, "median": 3, "min": 1, "max": 100,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "met"),
    [
        (figure(15, at_least=15), True),
        (figure(14.999, at_least=15), False),  # printed as 15, and still not 15
        (figure(15.001, at_most=15), False),
        (figure(2, at_most=3), True),
        (figure(2), None),
    ],
)
def test_a_target_is_judged_before_rounding(measured: Figure, met: bool | None) -> None:
    assert measured.met is met


def test_both_files_hold_every_figure_with_its_target_and_verdict() -> None:
    figures = [figure(1, 2, 3, at_most=2.5), figure(9.8765, at_least=10)]

    page = as_page(figures, MACHINE, scale="scaled", at=datetime(2026, 3, 1, tzinfo=UTC))
    body = json.loads(as_json(figures[:1], scale="scaled"))

    assert "| `some_figure` | 2 ms | ≤ 2.5 | met | 1 … 3 | 3 |" in page
    assert "| `some_figure` | 9.88 ms | ≥ 10 | **not met** | 9.88 … 9.88 | 1 |" in page
    assert "900–1,000 fdatasync/s" in page
    assert "**scaled**" in page
    assert body == {
        "some_figure": {
            "value": 2,
            "unit": "ms",
            "against": {
                "target": "≤ 2.5", "met": True, "rounds": 3, "median": 2, "min": 1, "max": 3, "scale": "scaled",
            },
        }
    }  # fmt: skip


def test_the_ratio_is_made_within_each_round() -> None:
    slow, fast = Sample(seconds=[0.1] * 10, took_seconds=1), Sample(seconds=[0.001] * 200, took_seconds=1)
    ours = {shape: [fast, slow] for shape in appending.SHAPES}

    ratio, p99 = appending.figures_of([slow, slow], ours)

    assert (ratio.name, list(ratio.rounds)) == ("append_vs_stock_64", [20, 1])
    assert (p99.name, list(p99.rounds)) == ("append_p99_ms_64", [1, 100])


@pytest.mark.parametrize("shape", appending.SHAPES)
def test_the_append_load_counts_what_the_log_holds(postgres_server: PostgresServer, shape: appending.Shape) -> None:
    sample = Ours(new_database(postgres_server).issuance, callers=8).run(shape, 0.1)

    assert len(sample.seconds) >= 8
    assert sample.took_seconds >= 0.1
    assert sample.per_second == pytest.approx(len(sample.seconds) / sample.took_seconds)


def test_the_append_load_ends_with_an_error_when_a_command_was_not_appended(postgres_server: PostgresServer) -> None:
    one = appending.guaranteed()

    with pytest.raises(ExceptionGroup) as told:
        Ours(new_database(postgres_server).issuance, callers=2).run(lambda: one, 0.1)

    assert told.group_contains(RuntimeError, match="not appended: DUPLICATE")


def test_the_stock_load_counts_what_the_stock_table_holds(postgres_server: PostgresServer) -> None:
    place = Place(disk_seconds=TINY.disk_seconds)
    database = place.empty_database(postgres_server, "stock_of_bench")

    assert len(Stock(postgres_server, database).run(0.1).seconds) >= 1


def test_the_machine_tells_its_cores_and_what_its_disk_answered(postgres_server: PostgresServer) -> None:
    sample = disk_sample(postgres_server.folder, 0.02)

    facts = machine([sample])

    assert facts.cores >= 1
    assert facts.fdatasync_per_s == (sample.per_second,)
    assert 0 < facts.fdatasync_p50_ms <= facts.fdatasync_p99_ms
    assert not (postgres_server.folder / "disk-sample").exists()


def test_the_scale_is_scaled_or_full() -> None:
    assert sizes_of("scaled").rounds < sizes_of("full").rounds
    with pytest.raises(ValueError, match="scaled or full"):
        sizes_of("huge")


async def test_the_subscriber_sees_every_event_of_a_round(database: Database) -> None:
    with servers.nats() as nats:
        first = await one_round(database, nats, "first", TINY.follow_seconds)
        second = await one_round(database, nats, "second", TINY.follow_seconds)

    assert len(first.seconds) == len(second.seconds) == TINY.follow_seconds * RATE_PER_S
    assert 0 < second.milliseconds(50) <= second.milliseconds(99)


async def served(answers: list[bytes]) -> tuple[asyncio.Server, list[bytes]]:
    """A server that gives these answers one after the other, and what it was asked."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            asked.append(head + await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0])))
            writer.write(answers.pop(0))
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_server(talk, "127.0.0.1", 0), asked


def answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def job(server: asyncio.Server) -> Job:
    port = server.sockets[0].getsockname()[1]
    return Job(
        host="127.0.0.1", port=port, key="k", achievement="ach_a", connections=1, seconds=TINY.award_seconds, name="t"
    )


async def test_the_award_load_awards_every_learner_once_and_keeps_the_positions() -> None:
    created = [answer(b"201 Created", b'{"position":%d,"id":"x"}' % n) for n in range(1, 100_000)]
    server, asked = await served(created)
    async with server:
        done = await load(job(server))

    assert len(done.seconds) == len(asked) == len({request.partition(b"idempotency-key: ")[2] for request in asked})
    assert done.positions == list(range(1, len(asked) + 1))
    assert len({json.loads(request.rpartition(b"\r\n\r\n")[2])["learner"]["email"] for request in asked}) == len(asked)


async def test_the_award_load_ends_with_an_error_at_any_other_answer() -> None:
    server, _ = await served([answer(b"201 Created", b'{"position":1}'), answer(b"503 Service Unavailable", b"later")])
    async with server:
        with pytest.raises(ExceptionGroup) as told:
            await load(job(server))

    assert told.group_contains(RuntimeError, match="503 service unavailable: later")
