"""`make soak`: awards for SOAK_MINUTES (60) while processes are killed at random, then every invariant.

Load and kills are those of `tests/faults`, for longer: PostgreSQL, nats-server and the three services each get SIGKILL
again and again, one at a time, in a random order that the seed repeats. Afterwards: positions dense and equal to the
head, versions 1…n, every acknowledged award once at its position with a document that opens, is what was answered and
verifies, the stream's last sequence equal to the head, and every projection equal to its rebuild. Exit status 1 and one
sentence for each that does not hold.
"""

import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
from tests import servers
from tests.bus.builders import bus_of
from tests.conftest import _make_template, new_database
from tests.faults.invariants import broken_invariants
from tests.faults.test_services import Whole, doubled, kill_and_start, until_acknowledged
from tests.running import SERVICES, Institution, running

from ledger.bus.stream import last_sequence

CALLERS = 4
CALM_SECONDS = (2.0, 20.0)  # between two kills
VICTIMS = (*SERVICES, "postgres", "nats")
SETTLE_SECONDS = 120.0
VERIFIED_AT_MOST = 2000  # a random sample where there are more: each costs the registry a whole verification


class Kept(msgspec.Struct, frozen=True):
    """What an answer promised; the credential as a digest, so that hours fit into memory."""

    id: str
    position: int
    url: str
    digest: bytes


def digest_of(credential: Any) -> bytes:
    """A digest of a credential as JSON, whatever the order of its members."""
    return hashlib.sha256(msgspec.json.encode(credential, order="sorted")).digest()


async def load(whole: Whole, institution: Institution, achievement: str, until: float) -> list[Kept]:
    """Awards by a few callers until the monotonic time `until`, each asked for until it is acknowledged."""
    kept: list[Kept] = []
    numbers = iter(range(10**9))
    headers = {"authorization": f"Bearer {institution.api_key}"}

    async def caller() -> None:
        async with httpx.AsyncClient(base_url=whole.ledger.url("issuance"), headers=headers, timeout=20) as client:
            while time.monotonic() < until:
                number = next(numbers)
                body = {"achievement_id": achievement, "learner": {"email": f"l{number}@learner.example"}}
                answer = await until_acknowledged(client, f"soak-{number}", body)
                kept.append(
                    Kept(answer["id"], answer["position"], answer["credential_url"], digest_of(answer["credential"]))
                )

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
    return kept


async def kills(whole: Whole, until: float, chance: random.Random) -> dict[str, int]:
    """Kill one process after the other until then; how often each."""
    counts = dict.fromkeys(VICTIMS, 0)
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(*CALM_SECONDS))
        victim = min(chance.sample(VICTIMS, 2), key=counts.__getitem__)
        await asyncio.to_thread(kill_and_start, whole, victim)
        counts[victim] += 1
    return counts


async def what_is_broken(whole: Whole, kept: list[Kept], chance: random.Random) -> list[str]:
    """A sentence for every invariant that does not hold. Ends with the services stopped."""
    acknowledged = {f"award/{award.id}": award.position for award in kept}
    broken = await broken_invariants(whole.database.url, acknowledged)
    if len(acknowledged) != len(kept):
        broken.append(f"{len(kept) - len(acknowledged)} awards share an id")
    if twice := await doubled(whole.database.url):
        broken.append(f"{twice} learners were awarded twice")
    broken += await _settled(whole)
    broken += await _documents(whole, kept, chance)
    await asyncio.to_thread(whole.ledger.stop)
    for service in SERVICES:
        broken += await asyncio.to_thread(_rebuilt, whole, service)
    return broken


def _rebuilt(whole: Whole, service: str) -> list[str]:
    """Rebuild a service's projections as an operator would: the command compares the tables before and after."""
    ran = subprocess.run(
        [sys.executable, "-m", "ledger.cli", "rebuild", service],
        env=whole.ledger.environment(service), capture_output=True, check=False, text=True,
    )  # fmt: skip
    return [] if ran.returncode == 0 else [f"{service} is not equal to its rebuild: {ran.stdout}{ran.stderr}"]


async def _settled(whole: Whole) -> list[str]:
    """The stream and every projection come to the head."""
    owner = await asyncpg.connect(whole.database.url)
    try:
        head = await owner.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0")
        positions = "SELECT min(position) FROM {}.positions"
        deadline, behind = time.monotonic() + SETTLE_SECONDS, {"": 0}
        async with bus_of(whole.nats) as bus:
            while behind and time.monotonic() < deadline:
                await asyncio.sleep(0.25)
                at = {service: await owner.fetchval(positions.format(service)) for service in SERVICES}
                at["stream"] = await last_sequence(bus)
                head = await owner.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0")
                behind = {name: position for name, position in at.items() if position != head}
        return [f"{name} is at {position}, the log at {head}" for name, position in behind.items()]
    finally:
        await owner.close()


async def _documents(whole: Whole, kept: list[Kept], chance: random.Random) -> list[str]:
    broken = []
    sample = set(chance.sample(range(len(kept)), min(len(kept), VERIFIED_AT_MOST)))
    async with httpx.AsyncClient(timeout=30) as reader:
        for number, award in enumerate(kept):
            answer = await _patient(reader, "GET", award.url)
            if answer.status_code != 200 or digest_of(answer.json()) != award.digest:
                broken.append(f"{award.id}: its document is not what was answered ({answer.status_code})")
            elif number in sample:
                verdict = await _patient(
                    reader, "POST", f"{whole.ledger.url('registry')}/v1/verifications",
                    {"credential": answer.json()}, {"idempotency-key": award.id},
                )  # fmt: skip
                if verdict.json().get("verified") is not True:
                    broken.append(f"{award.id} does not verify: {verdict.text[:500]}")
    return broken


async def _patient(
    client: httpx.AsyncClient, method: str, url: str, body: Any = None, headers: Any = None
) -> httpx.Response:
    """The answer, asked for again where the registry says that this was too often."""
    while (answer := await client.request(method, url, json=body, headers=headers)).status_code == 429:  # noqa: ASYNC110 - it says when
        await asyncio.sleep(float(answer.headers["retry-after"]))
    return answer


async def soak(whole: Whole, minutes: float, seed: int) -> list[str]:
    """Load with kills, then the invariants that do not hold."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable order
    institution = await asyncio.to_thread(whole.ledger.institution, "soak")
    achievement = await asyncio.to_thread(whole.ledger.achievement, institution)
    until = time.monotonic() + minutes * 60
    loading = asyncio.create_task(load(whole, institution, achievement, until))
    counts = await kills(whole, until, chance)
    kept = await loading
    for service in SERVICES:
        await asyncio.to_thread(servers.wait_until, lambda s=service: whole.ledger.is_ready(s), 60, f"{service} ready")
    sys.stdout.write(f"{len(kept)} awards acknowledged; killed: {counts}\n")
    return await what_is_broken(whole, kept, chance)


def main() -> int:
    """Soak for SOAK_MINUTES with SOAK_SEED. 0 when everything holds, else 1."""
    minutes, seed = float(os.environ.get("SOAK_MINUTES", "60")), int(os.environ.get("SOAK_SEED", "1"))
    with tempfile.TemporaryDirectory() as name, servers.postgres() as postgres, servers.nats() as bus:
        asyncio.run(_make_template(postgres))
        database = new_database(postgres)
        roles = {role: getattr(database, role) for role in SERVICES}
        with running(roles, bus, Path(name)) as ledger:
            broken = asyncio.run(soak(Whole(postgres, bus, database, ledger), minutes, seed))
    sys.stdout.write("".join(f"BROKEN: {sentence}\n" for sentence in broken) or "every invariant holds\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
