"""Debian's Chromium, and services as processes of their own: the browser's client runs in no event loop."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: the browser's client keeps a loop running, beside which no asynchronous test can run."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The installed Chromium; root may not use its sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": arguments}


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: every test names whole addresses. A plugin's own fixture of this name rests on what pytest deprecates."""
