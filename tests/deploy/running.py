"""Runs the supervisor as a person does: a process of its own, a state folder, a terminal's output in a file."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

SMALL_LEDGER = Path(__file__).with_name("small_ledger.py")
START_SECONDS = 40
STOP_SECONDS = 20


def eventually(fact: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def is_alive(pid: int | str) -> bool:
    """Whether a process runs; one that ended and waits for its parent to notice does not."""
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes() != b""
    except OSError:
        return False


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A new folder that the servers' account can enter when root runs the tests (pytest's own are closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix="cl-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def free_base() -> int:
    """The first of three free ports, below those that the kernel gives to clients."""
    while True:
        base = 20000 + 3 * secrets.randbelow(3000)
        try:
            for port in range(base, base + 3):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            continue
        return base


class Ledger:
    """One run of the small ledger on a state folder."""

    def __init__(self, data: Path, base: int, **settings: str) -> None:
        self.data = data
        self.base = base
        self._output = data.parent / f"output-{base}-{time.monotonic_ns()}"
        own = {key: value for key, value in os.environ.items() if not key.startswith("CREDLEDGER_")}
        environment = {**own, "CREDLEDGER_DATA": str(data), "CREDLEDGER_PORT": str(base), **settings}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(SMALL_LEDGER)], env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert eventually(lambda: not self.processes(), 5), self.processes()

    @property
    def output(self) -> str:
        """What a person saw so far."""
        return self._output.read_text()

    @property
    def runtime(self) -> dict[str, Any]:
        """runtime.json."""
        facts: dict[str, Any] = json.loads((self.data / "runtime.json").read_text())
        return facts

    def until_ready(self) -> Self:
        """Wait for the line `ready`."""
        assert eventually(lambda: self.is_ready() or self.process.poll() is not None, START_SECONDS), self.output
        assert self.process.poll() is None, self.output
        return self

    def is_ready(self) -> bool:
        """Whether `ready` stands alone on the last line."""
        return self.output.endswith("\nready\n")

    def until_ended(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(STOP_SECONDS)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit status."""
        self.process.send_signal(number)
        return self.until_ended()

    def pid_of(self, name: str) -> int:
        """A child's pid."""
        pid: int = self.runtime["children"][name]["pid"]
        return pid

    def processes(self) -> list[str]:
        """What still runs of this ledger, without the supervisor: all that hold its lock or were told its folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) not in (os.getpid(), self.process.pid):
                try:
                    if self._belongs(entry):
                        found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
                except OSError:
                    continue
        return found

    def _belongs(self, entry: Path) -> bool:
        mark = f"CREDLEDGER_DATA={self.data}\0".encode()
        if mark in (entry / "environ").read_bytes():
            return True
        lock = str(self.data / "lock")
        return any(os.readlink(descriptor) == lock for descriptor in (entry / "fd").iterdir())


def run_to_end(data: Path, base: int, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the command where it is expected to end by itself."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("CREDLEDGER_")}
    environment = {**own, "CREDLEDGER_DATA": str(data), "CREDLEDGER_PORT": str(base), **settings}
    return subprocess.run(
        [sys.executable, str(SMALL_LEDGER), *arguments], env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=START_SECONDS,
    )  # fmt: skip
