"""A state folder that all tests of a module start on again and again: what one leaves behind the next must survive."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.deploy.running import Ledger, free_base, passable_folder


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A state folder with a cluster after the module's first start."""
    with passable_folder() as folder:
        yield folder / "state"


@pytest.fixture
def ledger(data: Path) -> Iterator[Callable[..., Ledger]]:
    """Starts a ledger; whatever of it still runs after the test is a failure."""
    started: list[Ledger] = []

    def start(**settings: str) -> Ledger:
        started.append(Ledger(data, free_base(), **settings))
        return started[-1]

    yield start
    for one in started:
        one.__exit__()
