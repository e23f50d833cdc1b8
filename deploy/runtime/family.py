"""The children together: started, waited for, started again when they end, stopped in order.

Until `serving`, a child that ends is a failure at once, with the last lines of its log. After that it is started again
with growing pauses, and one that ends five times within a minute ends everything.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from .children import Child, Command, Leash, Program, opened_log, tail
from .refusal import FAILED, Refusal
from .screen import Screen
from .signals import Signals, StopAsked
from .state import State

READY_SECONDS = 30.0
LOOK_SECONDS = 0.01
RESTART_LOOK_SECONDS = 0.05
IDLE_SECONDS = 1.0
STOP_SECONDS = 15.0
SERVICES_STOP_SECONDS = 6.0  # they give running requests 5
LAST_STOP_SECONDS = 2.0


class Task(NamedTuple):
    """A command that ends by itself."""

    name: str
    process: "subprocess.Popen[bytes]"
    started_at: float


class Family:
    """All children of one run. `changed` is called whenever a pid or a readiness changed."""

    def __init__(self, state: State, signals: Signals, screen: Screen, changed: Callable[[], None]) -> None:
        self.children: dict[str, Child] = {}
        self.serving = False
        self._state = state
        self._signals = signals
        self._screen = screen
        self._changed = changed
        self._leash = Leash()
        self._stops_seen = 0
        self._tasks: list[Task] = []

    def start(self, program: Program) -> None:
        """Start a program that is to run from now on. Raises Refusal."""
        child = Child(program, self._leash, self._state.log(program.name.lower()))
        self.children[program.name] = child
        self._start_child(child)

    def begin(self, name: str, command: Command) -> Task:
        """Start a command that ends by itself; its output goes to its log. Raises Refusal."""
        with opened_log(self._state.log(name)) as log:
            try:
                process = self._leash.spawn(command, log)
            except OSError as error:
                raise Refusal(f"{name} cannot be started: {error.strerror}.", FAILED) from error
        task = Task(name, process, time.monotonic())
        self._tasks.append(task)
        return task

    def finish(self, task: Task, seconds: float) -> int:
        """Wait for its end and return the exit status. Raises Refusal when it takes longer than so many seconds."""
        while (status := task.process.poll()) is None:
            if time.monotonic() - task.started_at > seconds:
                raise self._failure(task.name, f"took longer than {seconds:.0f} s")
            self.look(LOOK_SECONDS)
        self._tasks.remove(task)
        return status

    def wait_ready(self, names: list[str], describe: Callable[[str], str]) -> None:
        """Wait until these serve, telling each as it does. Raises Refusal after 30 s or when one ends."""
        waiting = list(names)
        while waiting:
            self._screen.under_way(waiting[0], "starting")
            for name in [name for name in waiting if self.children[name].ready]:
                self._screen.step(name, describe(name), self.children[name].took_seconds)
                waiting.remove(name)
            late = [name for name in waiting if time.monotonic() - self.children[name].started_at > READY_SECONDS]
            if late:
                raise self._failure(late[0], f"was not ready within {READY_SECONDS:.0f} s")
            if waiting:
                self.look(LOOK_SECONDS)

    def serve(self) -> None:
        """Keep the children running. Raises StopAsked when somebody asks, Refusal when a child cannot be kept."""
        while True:
            self.look(0)
            unready = any(not child.ready for child in self.children.values())
            self._signals.wait(RESTART_LOOK_SECONDS if unready else IDLE_SECONDS)

    def look(self, seconds: float) -> None:
        """One round: a request to stop, ends, starts that are due, readiness; then wait so long, or for a signal."""
        if self._signals.stops > self._stops_seen:
            self._stops_seen += 1
            raise StopAsked
        for child in self.children.values():
            ended = child.look_for_end()
            if ended:
                self._take_end(child, ended)
            if child.restart_at is not None and time.monotonic() >= child.restart_at:
                self._start_child(child)
            if child.look_for_readiness():
                self._changed()
                if self.serving:
                    self._screen.happening(f"{child.program.name} is ready again after {child.took_seconds:.1f} s")
        self._signals.wait(seconds)

    def tail(self, name: str) -> str:
        """The last lines of a child's log."""
        return tail(self._state.log(name.lower()))

    def _failure(self, name: str, what: str) -> Refusal:
        return Refusal(f"{name} {what}; its last lines:\n{self.tail(name)}", FAILED)

    def _start_child(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            raise Refusal(f"{child.program.name} cannot be started: {error.strerror}.", FAILED) from error
        self._changed()

    def _take_end(self, child: Child, ended: str) -> None:
        name = child.program.name
        if not self.serving:
            raise self._failure(name, f"ended while starting ({ended})")
        if child.ends_too_often:
            raise self._failure(name, f"ended five times within a minute ({ended})")
        self._screen.happening(f"{name} ended ({ended}); starting it again")
        self._changed()

    def stop(self, order: list[list[str]]) -> None:
        """Stop group after group, politely; a further request to stop, or 15 s in all, ends what is left at once."""
        deadline = time.monotonic() + STOP_SECONDS
        for task in self._tasks:
            if task.process.poll() is None:
                os.killpg(task.process.pid, signal.SIGKILL)  # with all that it started
                task.process.wait()
        for group in order:
            members = [self.children[name] for name in group if name in self.children]
            for child in members:
                child.signal(child.program.stop_signal)
            seconds = min(deadline - time.monotonic(), SERVICES_STOP_SECONDS if len(group) > 1 else STOP_SECONDS)
            if not self._ended(members, seconds):
                self._end_at_once(members)

    def _ended(self, members: list[Child], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while [child for child in members if not child.has_ended()]:
            if time.monotonic() >= deadline or self._signals.stops > self._stops_seen:
                return False
            self._signals.wait(LOOK_SECONDS)
        return True

    def _end_at_once(self, members: list[Child]) -> None:
        for child in members:
            child.signal(child.program.last_signal)
        for child in members:
            if not self._ended_for_good(child):
                child.signal(signal.SIGKILL)
                self._ended_for_good(child)

    def _ended_for_good(self, child: Child) -> bool:
        deadline = time.monotonic() + LAST_STOP_SECONDS
        while not child.has_ended():
            if time.monotonic() >= deadline:
                return False
            self._signals.wait(LOOK_SECONDS)
        return True
