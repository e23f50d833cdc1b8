"""From COMMIT in the store to a JetStream consumer in another process, at 200 events a second."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvloop
from tests import servers
from tests.bench.figures import Figure, Sample, median_of
from tests.bench.local import ROOT
from tests.bench.place import Place
from tests.bench.sizes import Sizes
from tests.bus.builders import eventually
from tests.conftest import Database, new_database
from tests.servers import NatsServer
from tests.store.builders import fact, wish

from ledger.bus import Bus
from ledger.bus.stream import last_sequence
from ledger.relay import Relay
from ledger.settings import Settings
from ledger.store import Store

RATE_PER_S = 200
WARM_SECONDS = 2.0
CONNECT_SECONDS = 15.0
HOW = (
    f"{RATE_PER_S} appends a second, evenly spaced whatever becomes of earlier ones, through the store and the relay "
    "as issuance runs them; the consumer is another process that reads the stream as every service does. The clock "
    "starts at the event's own time, which the database takes just before COMMIT, so the wait for the disk is counted."
)


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`commit_to_subscriber_p99_ms`."""
    with place.postgres() as server, servers.nats() as nats:
        database = new_database(server)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(one_round(database, nats, "warm", WARM_SECONDS))
            samples = []
            for number in range(sizes.rounds):
                place.sample_disk(server.folder)
                samples.append(runner.run(one_round(database, nats, f"round {number}", sizes.follow_seconds)))
                place.say(f"commit to subscriber, round {number + 1} of {sizes.rounds}")
    return [
        Figure(
            name="commit_to_subscriber_p99_ms",
            unit="ms",
            rounds=[s.milliseconds(99) for s in samples],
            at_most=25,
            how=HOW,
            beside={
                "p50_ms": median_of([s.milliseconds(50) for s in samples]),
                "slowest_ms": median_of([s.milliseconds(100) for s in samples]),
                "events_per_s": median_of([s.per_second for s in samples]),
            },
        )
    ]


async def one_round(database: Database, nats: NatsServer, name: str, seconds: float) -> Sample:
    """Append for so long while somebody else listens. Raises RuntimeError when he saw not everything, in order."""
    settings = Settings.from_environment("issuance", _environment(database, nats, "issuance"))
    bus = await Bus.connect(settings, "issuance")
    store = await Store.open(database.issuance, hint=bus.hint)
    relay = Relay(store, bus, settings)
    relaying = asyncio.create_task(relay.run())
    try:
        if not await bus.until_connected(CONNECT_SECONDS):
            raise RuntimeError("no connection to NATS")
        await last_sequence(bus)  # only issuance may make the stream, and it has to be there to be followed
        head = await store.head()
        await eventually(lambda: relay.published >= head, "the relay caught up")
        with _subscriber(database, nats) as subscriber:
            began = time.perf_counter()
            recorded = await _append(store, name, seconds)
            took = time.perf_counter() - began
            seen = await asyncio.to_thread(_seen, subscriber, max(recorded))
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        await bus.close()
        await store.close()
    if [sequence for sequence, _ in seen] != sorted(recorded):
        raise RuntimeError(f"{len(recorded)} events were appended, {len(seen)} messages seen")
    return Sample(seconds=[at - recorded[sequence] for sequence, at in seen], took_seconds=took)


async def _append(store: Store, name: str, seconds: float) -> dict[int, float]:
    """position → the event's time, as Unix seconds."""
    loop = asyncio.get_running_loop()
    recorded: dict[int, float] = {}

    async def one(number: int) -> None:
        key = f"{name} {number}"
        decision = await store.decide(f"access/{key}", lambda _: [fact()], wish=wish(key), new=True)
        recorded[decision.events[0].position] = decision.events[0].recorded_at.timestamp()

    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * RATE_PER_S)):
            await asyncio.sleep(max(0.0, began + number / RATE_PER_S - loop.time()))
            group.create_task(one(number))
    return recorded


@contextmanager
def _subscriber(database: Database, nats: NatsServer) -> "Iterator[subprocess.Popen[bytes]]":
    source = f"{ROOT / 'shared'}:{ROOT / 'services'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.subscriber"],
        cwd=ROOT, env={**_environment(database, nats, "registry"), "PYTHONPATH": source},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if b"ready\n" not in iter(process.stdout.readline, b""):  # what it logs comes before
            raise RuntimeError("the subscriber did not start")
        yield process
    finally:
        process.kill()
        process.communicate()


def _seen(subscriber: "subprocess.Popen[bytes]", last: int) -> list[tuple[int, float]]:
    out, _ = subscriber.communicate(f"{last}\n".encode(), timeout=60)
    return msgspec.json.decode(out.splitlines()[-1], type=list[tuple[int, float]])


def _environment(database: Database, nats: NatsServer, service: str) -> dict[str, str]:
    secrets = {f"CREDLEDGER_{name}": "00" * 32 for name in ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")}
    return {
        **secrets,
        "CREDLEDGER_DATABASE_URL": database.issuance,
        "CREDLEDGER_NATS_URL": nats.url,
        "CREDLEDGER_NATS_CREDENTIALS_FILE": str(nats.credentials[service]),
    }
