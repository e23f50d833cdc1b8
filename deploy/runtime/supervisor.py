"""The order of things: prepare, start, serve, stop.

    nats-server beside initdb and PostgreSQL → schema and passwords → the three services → the demo, once → `ready` →
    restart what ends → services, nats-server, PostgreSQL stop

The state folder is locked and has its secrets before any of this begins (`command`).
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import msgspec

from .account import Account, can_read
from .children import Command
from .family import Family
from .nats import Nats
from .postgres import Postgres
from .refusal import FAILED, Refusal
from .screen import Screen
from .services import (
    COMMANDS,
    Links,
    Service,
    environment_for,
    interpreter_files,
    ports_of,
    reachable,
    shared_environment,
    write_environment,
)
from .settings import Settings
from .signals import Signals, StopAsked
from .state import State

INITDB_SECONDS = 120.0
DEMO_SECONDS = 300.0
PURPOSES = {
    "registry": "public pages, catalogue, verification",
    "issuance": "institutions, achievements, awards",
    "revocation": "suspension, revocation, status lists",
}


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """What is started as a service, by name, and what loads the demo; tests put small programs in their place."""

    services: Mapping[str, Sequence[str]] = msgspec.field(default_factory=lambda: COMMANDS)
    demo: Sequence[str] = (sys.executable, "-P", "-m", "ledger.cli", "demo", "--if-needed")


class Supervisor:
    """One run of the ledger. `lock` is the descriptor of the state's lock, for the data owners to hold."""

    def __init__(self, settings: Settings, state: State, lock: int, programs: Programs) -> None:
        self._settings = settings
        self._state = state
        self._lock = lock
        self._programs = programs
        self._screen = Screen()
        self._signals = Signals()
        self._family = Family(state, self._signals, self._screen, self._publish)
        self._phase = "starting"
        self._started_at = datetime.now(UTC)
        self._postgres: Postgres | None = None
        self._nats: Nats | None = None
        self._account: Account | None = None  # the services'

    def run(self) -> None:
        """Start everything, serve until somebody asks to stop, stop everything.

        Raises Refusal when a child cannot be started or kept; by then everything is stopped.
        """
        with self._signals:
            try:
                self._start()
                self._family.serve()
            except StopAsked:
                self._screen.line()
                self._screen.line("stopping; Ctrl-C again stops at once")
            finally:
                self._stop()
        self._screen.line("stopped")

    def _start(self) -> None:
        self._screen.line(f"credledger · data in {self._state.folder}")
        self._screen.line()
        self._publish()
        self._start_servers()
        self._prepare_schema()
        self._start_services()
        self._family.serving = True
        demo = self._has_demo()
        self._phase = "ready"
        self._publish()
        self._greet(demo)

    def _start_servers(self) -> None:
        """nats-server comes up while the cluster is made."""
        if not self._settings.nats_url:
            self._nats = Nats(self._state, self._lock, self._settings)
            self._family.start(self._nats)
        if not self._settings.database_url:
            self._postgres = Postgres(self._state, self._lock, self._settings.postgres_bin)
            self._start_postgres(self._postgres)
        if self._nats:
            about = self._nats.version
            self._family.wait_ready([self._nats.name], lambda _: about)

    def _start_postgres(self, postgres: Postgres) -> None:
        about = postgres.version
        if postgres.is_new:
            began = time.monotonic()
            self._screen.under_way(postgres.name, "making the cluster")
            initdb = self._family.begin("initdb", postgres.cluster_command())
            load_schema_tools()
            if self._family.finish(initdb, INITDB_SECONDS):
                raise Refusal(f"The PostgreSQL cluster could not be made:\n{self._family.tail('initdb')}", FAILED)
            postgres.adopt_cluster()
            self._screen.step("cluster", "made: UTF-8, checksums, passwords", time.monotonic() - began)
        self._family.start(postgres)
        load_schema_tools()
        self._family.wait_ready([postgres.name], lambda _: about)

    def _prepare_schema(self) -> None:
        began = time.monotonic()
        self._screen.under_way("schema", "looking for what is new")
        database = load_schema_tools()
        owner = {"CREDLEDGER_DATABASE_URL": database.owner_url(self._settings, self._postgres)}
        write_environment(self._state, "owner", owner)
        applied = asyncio.run(database.prepare_database(self._settings, self._state, self._postgres))
        about = f"migrated to {applied[-1]}" if applied else "up to date"
        self._screen.step("schema", about, time.monotonic() - began)

    def _start_services(self) -> None:
        ports = ports_of(self._settings)
        self._account = self._services_account()
        for name in ports:
            environment = environment_for(name, self._settings, self._state, self._links(name))
            write_environment(self._state, name, environment)
            self._family.start(Service(name, self._programs.services[name], environment, self._account))
        self._family.wait_ready(list(ports), lambda name: f"port {ports[name]}")

    def _services_account(self) -> Account | None:
        """Root lends the services the servers' account too, where that can read the interpreter."""
        account = self._state.account
        if can_read(interpreter_files(), account):
            return account
        self._screen.line(
            f"  (the services run as root: {account and account.name} cannot read {os.path.realpath(sys.executable)})"
        )
        return None

    def _links(self, name: str) -> Links:
        given = self._settings.environment.get("CREDLEDGER_NATS_CREDENTIALS_FILE")
        return Links(
            database_url=load_schema_tools().role_url(self._settings, self._state, self._postgres, name),
            nats_url=self._nats.url if self._nats else self._settings.nats_url or "",
            nats_credentials_file=self._nats.credentials_file(name) if self._nats else Path(given) if given else None,
        )

    def _has_demo(self) -> bool:
        """Load the demo the first time. A demo that fails costs nothing but itself; the next start tries again."""
        if self._state.demo_mark.exists() or not self._settings.demo:
            return self._state.demo_mark.exists()
        began = time.monotonic()
        self._screen.under_way("demo", "loading")
        environment = shared_environment(self._settings, self._state)
        command = Command(
            argv=self._programs.demo, environment=environment, death_signal=signal.SIGKILL, account=self._account
        )
        status = self._family.finish(self._family.begin("demo", command), DEMO_SECONDS)
        if status:
            self._screen.line(
                "  The demo could not be loaded; the last lines of its log:\n" + self._family.tail("demo")
            )
            return False
        self._state.write(self._state.demo_mark, datetime.now(UTC).isoformat(timespec="seconds") + "\n")
        self._screen.step("demo", "loaded", time.monotonic() - began)
        return True

    def _greet(self, demo: bool) -> None:
        """The addresses; the demo's comes last, and `ready` stands alone on the last line."""
        self._screen.line()
        self._screen.table([
            *((name, f"{url}   {PURPOSES[name]}") for name, url in self._urls().items()),
            ("operator key", str(self._state.operator_key)),
            ("stop", "Ctrl-C"),
        ])  # fmt: skip
        self._screen.line()
        if demo:
            self._screen.line(f"  Have a look:  {self._settings.public_url}/demo")
            self._screen.line()
        self._screen.line("ready")

    def _urls(self) -> dict[str, str]:
        """Where a person on this machine reaches each service."""
        ports, host = ports_of(self._settings), reachable(self._settings.host)
        shown = "localhost" if host in ("127.0.0.1", "::1") else host
        return {name: f"http://{shown}:{port}" for name, port in ports.items()}

    def _publish(self) -> None:
        """runtime.json: what runs. A full disk must not stop a ledger that runs, so a failed write is only told."""
        postgres, nats, account = self._postgres, self._nats, self._state.account
        facts: dict[str, object] = {
            "state": self._phase,
            "supervisor": os.getpid(),
            "started_at": self._started_at.isoformat(timespec="milliseconds"),
            "data": str(self._state.folder),
            "urls": self._urls(),
            "public_url": self._settings.public_url,
            "status_url": self._settings.status_url,
            "ports": ports_of(self._settings),
            "nats_url": nats.url if nats else self._settings.nats_url,
            "socket_folder": str(postgres.socket_folder) if postgres else None,
            "account": account.name if account else None,
            "versions": {server.name: server.version for server in (postgres, nats) if server},
            "children": {
                name: {"pid": child.pid, "ready": child.ready, "log": str(child.log)}
                for name, child in self._family.children.items()
            },
        }
        try:
            self._state.write_runtime(facts)
        except OSError as error:
            self._screen.happening(f"runtime.json could not be written: {error.strerror}")

    def _stop(self) -> None:
        self._phase = "stopping"
        self._publish()
        self._family.stop([list(ports_of(self._settings)), [Nats.name], [Postgres.name]])
        if self._postgres:
            self._postgres.clean_up()
        self._phase = "stopped"
        self._publish()


def load_schema_tools() -> ModuleType:
    """The module that migrates. It takes half a second to load, which is hidden behind the start of PostgreSQL."""
    from . import database  # noqa: PLC0415

    return database
