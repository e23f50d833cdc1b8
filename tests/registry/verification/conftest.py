"""A verifier over fixed facts, with the real worker for canonicalisation and a guard that opens nothing."""

from collections.abc import AsyncIterator, Callable

import pytest
from tests.registry.verification.facts import ADDRESSES, NOW, Facts

from ledger.canonicaliser import Canonicaliser
from ledger.outbound import Outbound
from registry.verification.verifier import Verifier

Make = Callable[..., Verifier]


@pytest.fixture(scope="session")
async def canonicaliser() -> AsyncIterator[Canonicaliser]:
    """One worker for the run."""
    async with Canonicaliser() as opened:
        yield opened


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
def verifier_over(canonicaliser: Canonicaliser) -> Make:
    """Makes a verifier over facts; `outbound` opens places to it."""

    def make(facts: Facts, outbound: Outbound | None = None) -> Verifier:
        return Verifier(facts, outbound or Outbound(), canonicaliser, ADDRESSES, test=True, clock=lambda: NOW)

    return make


@pytest.fixture
def verifier(facts: Facts, verifier_over: Make) -> Verifier:
    return verifier_over(facts)
