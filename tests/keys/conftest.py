"""A SoftHSM token for this process: the library reads where it lies when it is loaded, once."""

import os
from collections.abc import Iterator

import pytest
from tests.softhsm import SoftHsm, soft_hsm


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """The token, until the run ends."""
    made = soft_hsm(tmp_path_factory.mktemp("hsm"))
    os.environ["SOFTHSM2_CONF"] = str(made.configuration)
    yield made
    del os.environ["SOFTHSM2_CONF"]
