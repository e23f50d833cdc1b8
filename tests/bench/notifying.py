"""From an award's COMMIT to its mail at the mail server, over SMTP, while awards keep coming."""

import asyncio
import time
from datetime import datetime

import asyncpg
import httpx
from tests.bench.award_load import Job
from tests.bench.awarding import prepared
from tests.bench.figures import Figure, Sample, median_of
from tests.bench.local import Local
from tests.bench.place import Place
from tests.bench.sizes import Sizes
from tests.post_office import PostOffice
from tests.servers import wait_until

RATE_PER_S = 20
WARM_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
HOW = (
    f"{RATE_PER_S} awards a second over HTTP, evenly spaced, every learner a new one; the mails go over SMTP to a real "
    "server on the same cores, which notes when the whole mail was there. The clock starts at the event's own time, "
    "which the database takes just before COMMIT. Services, PostgreSQL and nats-server run under the supervisor."
)


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`notice_delay_p99_s`."""
    samples = []
    with place.folder() as folder, PostOffice().open() as office:
        ledger = Local(folder / "data")
        try:
            ledger.start({"CREDLEDGER_SMTP_URL": office.url})
            job = prepared(ledger)
            asyncio.run(one_round(ledger, office, job, "warm", WARM_SECONDS))
            for number in range(sizes.rounds):
                place.sample_disk(folder)
                samples.append(asyncio.run(one_round(ledger, office, job, f"round{number}", sizes.award_seconds)))
                place.say(f"commit to mail, round {number + 1} of {sizes.rounds}")
        finally:
            ledger.stop()
    return [
        Figure(
            name="notice_delay_p99_s",
            unit="s",
            rounds=[sample.milliseconds(99) / 1000 for sample in samples],
            at_most=2,
            how=HOW,
            beside={
                "p50_s": median_of([sample.milliseconds(50) / 1000 for sample in samples]),
                "slowest_s": median_of([sample.milliseconds(100) / 1000 for sample in samples]),
                "mails_per_s": median_of([sample.per_second for sample in samples]),
            },
        )
    ]


async def one_round(ledger: Local, office: PostOffice, job: Job, name: str, seconds: float) -> Sample:
    """Award for so long, and how long each mail took. Raises TimeoutError when one does not arrive, RuntimeError when
    one arrives twice."""
    learners = [f"{name}-{number}@learner.example" for number in range(max(1, int(seconds * RATE_PER_S)))]
    began = time.perf_counter()
    positions = await _awarded(ledger, job, learners)
    await asyncio.to_thread(
        wait_until, lambda: all(office.to(learner) for learner in learners), PATIENCE_SECONDS, "every mail arrived"
    )
    took = time.perf_counter() - began
    if any(len(office.to(learner)) != 1 for learner in learners):
        raise RuntimeError("a learner was told twice")
    recorded = await _recorded(ledger.database_url, list(positions.values()))
    return Sample(
        seconds=[office.to(one)[0].arrived - recorded[positions[one]].timestamp() for one in learners],
        took_seconds=took,
    )


async def _awarded(ledger: Local, job: Job, learners: list[str]) -> dict[str, int]:
    """learner → position of the award."""
    positions: dict[str, int] = {}
    async with httpx.AsyncClient(
        base_url=ledger.url("issuance"), headers={"authorization": f"Bearer {job.key}"}, timeout=30
    ) as client:

        async def one(email: str) -> None:
            body = {"achievement_id": job.achievement, "learner": {"email": email, "name": "Ada Example"}}
            answer = await client.post("/v1/awards", json=body, headers={"idempotency-key": email})
            answer.raise_for_status()
            positions[email] = answer.json()["position"]

        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for number, email in enumerate(learners):
                await asyncio.sleep(max(0.0, began + number / RATE_PER_S - loop.time()))
                group.create_task(one(email))
    return positions


async def _recorded(database_url: str, positions: list[int]) -> dict[int, datetime]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT position, recorded_at FROM ledger.events WHERE position = ANY($1)", positions
        )
        return {row["position"]: row["recorded_at"] for row in rows}
    finally:
        await connection.close()
