"""The ledger as a person starts it: `deploy/local.py` as a process of its own, timed until its line `ready`."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from tests.deploy.running import free_base
from tests.servers import wait_until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "deploy/local.py")
START_SECONDS = 300.0
STOP_SECONDS = 60.0


class Local:
    """A ledger on a data folder. `url(service)` is where a service answers."""

    def __init__(self, data: Path, *, demo: bool = False, root: Path = ROOT, command: Sequence[str] = COMMAND) -> None:
        self.data, self._root, self._command = data, root, command
        self.port = free_base()  # below the ports that the kernel gives to clients
        self._demo = demo
        self._process: subprocess.Popen[bytes] | None = None
        self._output = data.with_name(f"{data.name}-output")

    def start(self, more: Mapping[str, str] | None = None) -> float:
        """Start; the seconds until `ready`. Raises RuntimeError with the output when it ends before."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("CREDLEDGER_")}
        settings = {
            "CREDLEDGER_DATA": str(self.data),
            "CREDLEDGER_PORT": str(self.port),
            "CREDLEDGER_DEMO": "on" if self._demo else "off",
        }
        began = time.perf_counter()
        with self._output.open("wb") as sink:
            self._process = subprocess.Popen(
                self._command, cwd=self._root, env={**own, **settings, **(more or {})},
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            )  # fmt: skip
        wait_until(self._is_ready, START_SECONDS, f"ready:\n{self.output}")
        return time.perf_counter() - began

    @property
    def output(self) -> str:
        """What a person saw so far."""
        return self._output.read_text()

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended before it was ready:\n{self.output}")
        return self.output.endswith("\nready\n")

    def stop(self) -> None:
        """Ask the supervisor to stop, and wait."""
        if self._process is None or self._process.poll() is not None:
            return
        supervisor: int = msgspec.json.decode((self.data / "runtime.json").read_bytes())["supervisor"]
        os.kill(supervisor, signal.SIGTERM)
        self._process.wait(STOP_SECONDS)

    def url(self, service: str) -> str:
        return f"http://localhost:{self.port + ('registry', 'issuance', 'revocation').index(service)}"

    @property
    def operator_key(self) -> str:
        return (self.data / "operator.key").read_text().strip()

    @property
    def database_url(self) -> str:
        """The owner's URL: for looking, beside what the services do."""
        lines = dict(line.split("=", 1) for line in (self.data / "secrets" / "owner.env").read_text().splitlines())
        return shlex.split(lines["CREDLEDGER_DATABASE_URL"])[0]
