"""The worker processes: what they answer, what a poison graph costs, and that none outlives its parent."""

import asyncio
import copy
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.proofs import samples

from ledger.canonicaliser import Canonicaliser
from ledger.proofs import CannotSay, Outcome, ProofError, judge, rdfc, secure

PROJECT = Path(__file__).parents[2]
DEADLINE_SECONDS = 0.5


@pytest.fixture
async def canonicaliser() -> AsyncIterator[Canonicaliser]:
    async with Canonicaliser(deadline_seconds=DEADLINE_SECONDS) as opened:
        await opened.canonicalise(samples.badge())
        yield opened


def poison() -> dict[str, Any]:
    """Two equal results, each with ten equal alignments: nothing tells these blank nodes apart."""
    document = samples.badge()
    alignment = {"type": ["Alignment"], "targetName": "x", "targetUrl": "https://x.example/"}
    result = {"type": ["Result"], "value": "1", "alignment": [alignment] * 10}
    document["credentialSubject"]["result"] = [result, copy.deepcopy(result)]
    return document


async def test_a_worker_gives_the_bytes_that_the_process_itself_would(canonicaliser: Canonicaliser) -> None:
    document = samples.badge()

    assert await canonicaliser.canonicalise(document) == rdfc.canonical(document)


async def test_an_error_keeps_its_problem_and_its_pointer(canonicaliser: Canonicaliser) -> None:
    with pytest.raises(ProofError) as caught:
        await canonicaliser.canonicalise(samples.badge(favourite="blue"))

    assert (caught.value.problem, caught.value.pointer) == ("DATA_LOSS_DETECTION_ERROR", "/favourite")


async def test_a_worker_judges_as_the_process_itself_would(canonicaliser: Canonicaliser) -> None:
    signed = secure(samples.badge(), samples.ED25519, samples.NOON)
    spoilt = {**signed, "name": "Data Analysis II"}

    for document in (signed, spoilt):
        found = await canonicaliser.verify_proofs(document, samples.KEYS, at=samples.NOON)
        assert found == judge(document, samples.KEYS, at=samples.NOON)


async def test_a_poison_graph_costs_one_deadline_and_one_worker(canonicaliser: Canonicaliser) -> None:
    started = monotonic()
    with pytest.raises(CannotSay, match="longer than"):
        await canonicaliser.canonicalise(poison())
    took = monotonic() - started

    assert DEADLINE_SECONDS <= took < DEADLINE_SECONDS + 0.4
    assert await canonicaliser.canonicalise(samples.badge()) == rdfc.canonical(samples.badge())


async def test_the_cheap_proof_of_a_poison_graph_is_judged_and_the_other_cannot_be(
    canonicaliser: Canonicaliser,
) -> None:
    signed = secure(samples.badge(), samples.ED25519, samples.NOON)
    document = {**poison(), "proof": signed["proof"]}

    verdicts = await canonicaliser.verify_proofs(document, samples.KEYS)

    assert [(v.suite, v.outcome) for v in verdicts] == [
        ("eddsa-rdfc-2022", Outcome.CANNOT_SAY),
        ("eddsa-jcs-2022", Outcome.WRONG),
    ]


async def test_many_documents_share_one_worker_which_stays(canonicaliser: Canonicaliser) -> None:
    started = monotonic()
    await asyncio.gather(*(canonicaliser.canonicalise(samples.badge(name=f"number {n}")) for n in range(50)))

    # A worker takes a fifth of a second to start; one that stays, a millisecond a badge.
    assert monotonic() - started < 2


async def test_a_caller_who_goes_away_leaves_a_working_pool(canonicaliser: Canonicaliser) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await canonicaliser.canonicalise(poison())

    assert await canonicaliser.canonicalise(samples.badge())


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_a_worker_dies_with_its_parent(busy: bool) -> None:
    script = f"""
import asyncio
from ledger.canonicaliser import Canonicaliser
from tests.proofs import samples, test_canonicaliser
async def main():
    async with Canonicaliser(deadline_seconds=3) as c:
        await c.canonicalise(samples.badge())
        print("warm", flush=True)
        await (c.canonicalise(test_canonicaliser.poison()) if {busy} else asyncio.sleep(60))
asyncio.run(main())
"""
    path = os.pathsep.join(str(PROJECT / part) for part in ("shared", "services", "."))
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    assert await asyncio.wait_for(parent.stdout.readline(), 30) == b"warm\n"

    parent.send_signal(signal.SIGKILL)

    # The worker shares the parent's standard error: it ends when both are gone.
    async with asyncio.timeout(5):
        assert await parent.communicate() == (b"", b"")
