"""Starting a child so that it cannot outlive this process, and following its life.

Linux: the kernel signals the child when its parent dies (PR_SET_PDEATHSIG). The setting is lost when the uid changes,
so it is made after that, and it belongs to the forking *thread*, so everything is spawned from the main thread.
Elsewhere (macOS; UNTESTED there): a small forked watcher waits for the end of file of a pipe that only the supervisor
holds open, and then kills the child.

Every child is the leader of its own process group: Ctrl-C in a terminal reaches the supervisor alone, which then stops
the children in order.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from .account import Account

PR_SET_PDEATHSIG = 1
LINUX = sys.platform == "linux"
# Loaded here: between fork and exec nothing may be imported.
LIBC = ctypes.CDLL(None, use_errno=True)

ENDS_WINDOW_SECONDS = 60
ENDS_ALLOWED = 5
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 5.0
LOG_KEPT_BYTES = 16 * 1024 * 1024
TAIL_LINES = 12
TAIL_BYTES = 256 * 1024
UNTOLD = ("level", "timestamp", "service", "logger", "request_id")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a process. `death_signal` is what it gets when the supervisor dies; `keep_fds` stay open in it."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    death_signal: int
    account: Account | None = None
    keep_fds: Sequence[int] = ()


class Program(Protocol):
    """A server or service that is kept running. `stop_signal` asks it to end, `last_signal` no longer asks.

    `look_seconds` is how long to wait between two questions whether it is ready.
    """

    name: str
    look_seconds: float
    stop_signal: int
    last_signal: int

    def command(self) -> Command:
        """Prepare for a start and say how; called anew for each."""

    def is_ready(self, pid: int) -> bool:
        """Whether the process with that pid serves; quick, and never raises."""


class Leash:
    """Ties children to this process's life; one for all of them."""

    def __init__(self, kernel: bool = LINUX) -> None:
        """`kernel`: whether the kernel signals orphans; otherwise the pipe does."""
        self._kernel = kernel
        # Both ends are close-on-exec: no child holds the writing end, so it closes with this process.
        self._reading, self._writing = os.pipe()

    def spawn(self, command: Command, log: int) -> "subprocess.Popen[bytes]":
        """Start a process; `log` is the descriptor for its output. Raises OSError when it cannot be started."""
        supervisor = os.getpid()

        def in_child() -> None:  # runs after user and group have changed
            if not self._kernel:
                self._watch(command.death_signal)
            elif LIBC.prctl(PR_SET_PDEATHSIG, command.death_signal, 0, 0, 0) != 0:
                os._exit(126)
            if os.getppid() != supervisor:  # it died before the line above
                os._exit(1)

        account = command.account
        return subprocess.Popen(
            list(command.argv),
            cwd="/",
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=tuple(command.keep_fds),
            preexec_fn=in_child,  # noqa: PLW1509  there is one thread, and only the child itself can ask for its signal
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def _watch(self, death_signal: int) -> None:
        """In the child, before exec: leave a process behind that ends the child when the supervisor is gone."""
        child = os.getpid()
        if os.fork():
            os.wait()  # the first fork ends at once; the watcher is init's, so the program never sees a stranger end
            return
        if os.fork():
            os._exit(0)
        os.setpgid(0, 0)
        os.closerange(0, self._reading)
        os.closerange(self._reading + 1, 65536)
        while not select.select([self._reading], [], [], 0.5)[0]:
            with contextlib.suppress(PermissionError):
                try:
                    os.kill(child, 0)
                except ProcessLookupError:
                    os._exit(0)
        with contextlib.suppress(OSError):
            os.kill(child, death_signal)
        os._exit(0)


class Child:
    """One program's life: its process, when it became ready, how often it ended of late."""

    def __init__(self, program: Program, leash: Leash, log: Path) -> None:
        self.program = program
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.started_at = 0.0
        self.took_seconds = 0.0  # from the start to ready, the last time
        self.restart_at: float | None = None
        self._look_at = 0.0
        self._leash = leash
        self._ends: deque[float] = deque()

    @property
    def pid(self) -> int | None:
        """The pid of the running process."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process. Raises OSError."""
        self.ready, self.restart_at = False, None
        self.started_at = time.monotonic()
        with opened_log(self.log) as log:
            self.process = self._leash.spawn(self.program.command(), log)

    def look_for_end(self) -> str | None:
        """How the process ended, once; None while it runs or was not running."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        self.ready = False
        now = time.monotonic()
        self._ends.append(now)
        while self._ends[0] < now - ENDS_WINDOW_SECONDS:
            self._ends.popleft()
        backoff = FIRST_BACKOFF_SECONDS * 2 ** (len(self._ends) - 1)
        self.restart_at = now + min(backoff, LONGEST_BACKOFF_SECONDS)
        return how_it_ended(status)

    @property
    def ends_too_often(self) -> bool:
        """Whether it ended so often within a minute that starting it again is no cure."""
        return len(self._ends) >= ENDS_ALLOWED

    def look_for_readiness(self) -> bool:
        """Whether it became ready just now."""
        if self.ready or self.process is None or time.monotonic() < self._look_at:
            return False
        self.ready = self.program.is_ready(self.process.pid)
        self.took_seconds = time.monotonic() - self.started_at
        self._look_at = time.monotonic() + self.program.look_seconds
        return self.ready

    def signal(self, number: int) -> None:
        """Send a signal to the process, if it runs."""
        if self.process:
            self.process.send_signal(number)

    def has_ended(self) -> bool:
        """Whether no process is left; for the stop, where an end is wanted."""
        if self.process is not None and self.process.poll() is not None:
            self.process, self.ready = None, False
        return self.process is None


@contextlib.contextmanager
def opened_log(path: Path) -> Iterator[int]:
    """A descriptor that appends to a log, readable by the caller alone; a large log is set aside first, one is kept."""
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.rename(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def tail(path: Path) -> str:
    """The last lines of a log for the screen, without the traces of our own questions whether it is ready."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = [line for line in log.read().decode(errors="replace").splitlines() if "readyz" not in line]
    except OSError:
        lines = []
    return "\n".join(f"    {_readable(line)}" for line in lines[-TAIL_LINES:])


def _readable(line: str) -> str:
    """A structured log line as words; any other line as it is."""
    try:
        facts = json.loads(line)
        what = facts.pop("event")
    except (ValueError, AttributeError, KeyError, TypeError):
        return line
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if name not in UNTOLD)
    return f"{what}: {told}" if told else str(what)


def how_it_ended(status: int) -> str:
    """A wait status in words."""
    if status >= 0:
        return f"status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def wait_for(done: Callable[[], bool], seconds: float) -> bool:
    """Whether `done` came true in time; looked at each 10 ms."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True
