"""Runs `credledger` as a person does: a process of its own, with nothing but the given environment."""

import os
import subprocess
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


def environment_for(data: Path, **settings: str) -> dict[str, str]:
    """This process's environment with these settings (names without the prefix) and no others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CREDLEDGER_")}
    return {
        **own,
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("shared", "services")),
        "CREDLEDGER_DATA": str(data),
        **{f"CREDLEDGER_{name}": value for name, value in settings.items()},
    }


def credledger(*arguments: str, data: Path, entered: bytes = b"", out: int | None = None, **settings: str) -> Ended:
    """Run a command to its end; what it writes goes to the descriptor `out`, where one is given, which is closed."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "ledger.cli", *arguments],
        env=environment_for(data, **settings), input=entered, timeout=SECONDS, check=False,
        stdout=subprocess.PIPE if out is None else out, stderr=subprocess.PIPE,
    )  # fmt: skip
    if out is not None:
        os.close(out)
    return Ended(ended.returncode, (ended.stdout or b"").decode(), ended.stderr.decode())
