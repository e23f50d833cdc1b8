"""Runs `credledger` as a person does: a process of its own, with nothing but the given environment."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


class Ended(msgspec.Struct, frozen=True):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


async def credledger(*arguments: str, data: Path, entered: bytes = b"", **settings: str) -> Ended:
    """Run a command to its end; `settings` are environment variables without the prefix."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CREDLEDGER_")}
    environment = {
        **own,
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("shared", "services")),
        "CREDLEDGER_DATA": str(data),
        **{f"CREDLEDGER_{name}": value for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "ledger.cli", *arguments,
        env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate(entered)
    return Ended(process.returncode or 0, out.decode(), err.decode())
