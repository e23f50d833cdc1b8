"""Bulk jobs: the whole ledger under its supervisor, one list after another, alone, beside single awards, and killed."""

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import msgspec
from tests.bench.award_load import Job
from tests.bench.awarding import awards_of, loaded, prepared
from tests.bench.figures import Figure, Sample, median_of
from tests.bench.local import Local
from tests.bench.place import Place
from tests.bench.sizes import Sizes
from tests.servers import wait_until

SINGLE_CONNECTIONS = 2
PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.1
HOW = (
    "A class list by `POST /v1/jobs`, checked beforehand, from its start until the last row has its outcome; every row "
    "is then committed, signed with both proofs and as `vc+jwt`, and its document kept, which is counted in the "
    "database. The services, PostgreSQL and nats-server run under the supervisor on the same cores."
)


class Bulk:
    """An institution that sends lists."""

    def __init__(self, ledger: Local, job: Job) -> None:
        self._ledger, self._job = ledger, job
        self._client = httpx.Client(
            base_url=ledger.url("issuance"), headers={"authorization": f"Bearer {job.key}"}, timeout=60
        )

    def checked(self, name: str, rows: int) -> tuple[str, float]:
        """A list of new learners that waits for its start, and the seconds that its check took."""
        content = "email,name\n" + "".join(f"{name}{n}@learner.example,Learner {n}\n" for n in range(rows))
        began = time.perf_counter()
        made = self._client.post(
            "/v1/jobs", params={"kind": "awards", "achievement_id": self._job.achievement, "dry_run": "true"},
            content=content.encode(), headers={"content-type": "text/csv", "idempotency-key": name},
        )  # fmt: skip
        made.raise_for_status()
        job_id = str(made.json()["id"])
        self.until(job_id, "checked")
        return job_id, time.perf_counter() - began

    def start(self, job_id: str) -> None:
        self._client.post(f"/v1/jobs/{job_id}/start", headers={"idempotency-key": job_id}).raise_for_status()

    def cancel(self, job_id: str) -> None:
        self._client.post(f"/v1/jobs/{job_id}/cancellation", headers={"idempotency-key": job_id}).raise_for_status()

    def look(self, job_id: str) -> dict[str, Any]:
        """How far a job has come; nothing while the service is away."""
        try:
            answer = self._client.get(f"/v1/jobs/{job_id}")
        except httpx.HTTPError:
            return {"state": "away", "done": 0}
        found: dict[str, Any] = answer.json() if answer.is_success else {"state": "away", "done": 0}
        return found

    def until(self, job_id: str, state: str, done: int = 0) -> None:
        """Wait for a state and so many done rows; looking is work too, so it is done as seldom as a person would."""

        def reached() -> bool:
            time.sleep(LOOK_SECONDS)
            seen = self.look(job_id)
            return seen["state"] == state and int(seen["done"]) >= done

        wait_until(reached, PATIENCE_SECONDS, state)


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`bulk_awards_per_s`, `bulk_resume_s` and `single_p99_ratio_during_bulk`."""
    with place.folder() as folder:
        ledger = Local(folder / "data")
        try:
            ledger.start()
            job = prepared(ledger)
            bulk = Bulk(ledger, job)
            _run(bulk, ledger, "warm", max(10, sizes.bulk_rows // 10))
            return [
                _throughput(sizes, place, bulk, ledger),
                _resumption(sizes, place, bulk, ledger),
                _beside(sizes, place, bulk, job),
            ]
        finally:
            ledger.stop()


def _throughput(sizes: Sizes, place: Place, bulk: Bulk, ledger: Local) -> Figure:
    rates, checks = [], []
    for number in range(sizes.bulk_rounds):
        rate, check = _run(bulk, ledger, f"r{number}-", sizes.bulk_rows)
        rates.append(rate)
        checks.append(check)
        place.say(f"bulk, round {number + 1} of {sizes.bulk_rounds}")
    beside = {"rows": sizes.bulk_rows, "checked_rows_per_s": median_of(checks)}
    return Figure(name="bulk_awards_per_s", unit="awards/s", rounds=rates, how=HOW, at_least=500, beside=beside)


def _run(bulk: Bulk, ledger: Local, name: str, rows: int) -> tuple[float, float]:
    """Rows a second of a run and of its check. Raises RuntimeError unless each row is one award with one document."""
    job_id, check = bulk.checked(name, rows)
    before = asyncio.run(_kept(ledger.database_url))
    began = time.perf_counter()
    bulk.start(job_id)
    bulk.until(job_id, "completed")
    took = time.perf_counter() - began
    after = asyncio.run(_kept(ledger.database_url))
    if (after[0] - before[0], after[1] - before[1]) != (rows, rows):
        raise RuntimeError(f"{rows} rows made {after[0] - before[0]} awards and {after[1] - before[1]} documents")
    return rows / took, rows / check


def _resumption(sizes: Sizes, place: Place, bulk: Bulk, ledger: Local) -> Figure:
    """Issuance is killed half-way; the clock runs from the start of the job to its end."""
    job_id, _ = bulk.checked("resumed", sizes.bulk_rows)
    before = asyncio.run(awards_of(ledger.database_url))
    began = time.perf_counter()
    bulk.start(job_id)
    bulk.until(job_id, "running", sizes.bulk_rows // 2)
    runtime = msgspec.json.decode((ledger.data / "runtime.json").read_bytes())
    os.kill(runtime["children"]["issuance"]["pid"], signal.SIGKILL)
    killed = time.perf_counter()
    bulk.until(job_id, "completed")
    ended = time.perf_counter()
    made = asyncio.run(awards_of(ledger.database_url)) - before
    if made != sizes.bulk_rows:
        raise RuntimeError(f"{sizes.bulk_rows} rows made {made} awards")
    place.say("bulk, killed and resumed")
    return Figure(
        name="bulk_resume_s",
        unit="s",
        rounds=[ended - began],
        how="A list whose issuance process is killed with SIGKILL half-way and started again by the supervisor, from "
        "the start of the job to its end; it ends with exactly one award a row, which is counted in the log.",
        beside={"rows": sizes.bulk_rows, "after_the_kill_s": median_of([ended - killed])},
    )


def _beside(sizes: Sizes, place: Place, bulk: Bulk, job: Job) -> Figure:
    """Single awards alone and while a job runs, in turn."""
    ratios, alone_ms, beside_ms = [], [], []
    for number in range(sizes.bulk_rounds):
        alone = _single(job, f"alone{number}-", sizes.beside_seconds)
        job_id, _ = bulk.checked(f"beside{number}-", int(sizes.bulk_rows * max(1.0, sizes.beside_seconds / 4)))
        bulk.start(job_id)
        with ThreadPoolExecutor(1) as threads:
            during = threads.submit(_single, job, f"during{number}-", sizes.beside_seconds).result()
        running = bulk.look(job_id)["state"]
        if running == "running":
            bulk.cancel(job_id)
        elif sizes.name != "tiny":
            raise RuntimeError(f"the job was {running} before the single awards were measured")
        alone_ms.append(alone.milliseconds(99))
        beside_ms.append(during.milliseconds(99))
        ratios.append(beside_ms[-1] / alone_ms[-1])
        place.say(f"single awards beside a job, round {number + 1} of {sizes.bulk_rounds}")
    return Figure(
        name="single_p99_ratio_during_bulk",
        unit="×",
        rounds=ratios,
        at_most=2,
        how=f"The p99 of `POST /v1/awards` on {SINGLE_CONNECTIONS} connections while a job runs, divided by that "
        "without one, which was measured just before.",
        beside={"p99_ms_alone": median_of(alone_ms), "p99_ms_beside": median_of(beside_ms)},
    )


def _single(job: Job, name: str, seconds: float) -> Sample:
    done = loaded(msgspec.structs.replace(job, name=name, seconds=seconds, connections=SINGLE_CONNECTIONS))
    return Sample(seconds=done.seconds, took_seconds=done.took_seconds)


async def _kept(database_url: str) -> tuple[int, int]:
    """How many awards the log holds, and how many documents the vault."""
    connection = await asyncpg.connect(database_url)
    try:
        documents: int = await connection.fetchval("SELECT count(*) FROM vault.documents")
    finally:
        await connection.close()
    return await awards_of(database_url), documents
