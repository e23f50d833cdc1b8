"""Awards over HTTP: the whole ledger under its supervisor, the load in a process of its own, over loopback."""

import asyncio
import subprocess
import sys

import asyncpg
import httpx
import msgspec
from tests.bench.award_load import Done, Job
from tests.bench.figures import Figure, Sample, median_of
from tests.bench.local import ROOT, Local
from tests.bench.place import Place
from tests.bench.sizes import Sizes

CONNECTIONS = 32
PROOFS = {"eddsa-rdfc-2022", "eddsa-jcs-2022"}
HOW = (
    f"`POST /v1/awards`, one award a request, {CONNECTIONS} connections with one request under way each, every learner "
    "a new one, against the three services, PostgreSQL and nats-server under the supervisor on loopback. An answer "
    "means: committed, both proofs and the `vc+jwt` made, the document kept. The load generator is a process of its "
    "own on the same cores."
)


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`award_http_per_s` and `award_http_p99_ms`."""
    samples = []
    with place.folder() as folder:
        ledger = Local(folder / "data")
        try:
            ledger.start()
            job = prepared(ledger)
            run(ledger, msgspec.structs.replace(job, name="warm", seconds=sizes.award_seconds / 4))
            for number in range(sizes.rounds):
                place.sample_disk(folder)
                samples.append(
                    run(ledger, msgspec.structs.replace(job, name=f"r{number}", seconds=sizes.award_seconds))
                )
                place.say(f"awards over HTTP, round {number + 1} of {sizes.rounds}")
        finally:
            ledger.stop()
    return [
        Figure(name="award_http_per_s", unit="awards/s", rounds=[s.per_second for s in samples], how=HOW),
        Figure(
            name="award_http_p99_ms",
            unit="ms",
            rounds=[s.milliseconds(99) for s in samples],
            how="From sending a request to its whole answer, in the same rounds.",
            beside={"p50_ms": median_of([s.milliseconds(50) for s in samples])},
        ),
    ]


def run(ledger: Local, job: Job) -> Sample:
    """One round of load, checked against the log."""
    before = asyncio.run(awards_of(ledger.database_url))
    done = loaded(job)
    after = asyncio.run(awards_of(ledger.database_url))
    if len(set(done.positions)) != len(done.positions) or after - before != len(done.positions):
        raise RuntimeError(f"{len(done.positions)} awards were acknowledged, the log holds {after - before}")
    proofs = msgspec.json.decode(done.first)["credential"]["proof"]
    if {proof["cryptosuite"] for proof in proofs} != PROOFS:
        raise RuntimeError(f"the credential does not carry both proofs: {proofs}")
    return Sample(seconds=done.seconds, took_seconds=done.took_seconds)


def loaded(job: Job) -> Done:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.award_load"],
        cwd=ROOT, input=msgspec.json.encode(job), capture_output=True, check=False, timeout=job.seconds + 120,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(f"the load ended early:\n{ran.stderr.decode()[-3000:]}")
    return msgspec.json.decode(ran.stdout, type=Done)


def prepared(ledger: Local) -> Job:
    """The job of an institution with an achievement, and what it takes to award it."""
    institution = _post(
        ledger, "/v1/institutions", ledger.operator_key,
        {"slug": "bench", "name": "Bench", "url": "https://bench.example", "email": "badges@bench.example"},
    )  # fmt: skip
    key = institution["api_key"]
    achievement = _post(
        ledger, "/v1/achievements", key,
        {"name": "Data Basics", "description": "Reading data.", "criteria": {"narrative": "Pass the exam."}},
    )  # fmt: skip
    return Job(
        host="localhost", port=ledger.port + 1, key=key, achievement=achievement["id"], connections=CONNECTIONS,
        seconds=1, name="prepared",
    )  # fmt: skip


def _post(ledger: Local, path: str, key: str, body: dict[str, object]) -> dict[str, str]:
    headers = {"authorization": f"Bearer {key}", "idempotency-key": f"prepare-{path}"}
    answer = httpx.post(ledger.url("issuance") + path, json=body, headers=headers, timeout=30)
    if answer.status_code != 201:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
    made: dict[str, str] = answer.json()
    return made


async def awards_of(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM ledger.events WHERE topic = 'award.awarded'")
        return count
    finally:
        await connection.close()
