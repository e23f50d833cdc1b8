"""Signals as facts that the one loop reads: handlers only count, and a pipe ends the loop's wait at once."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(BaseException):
    """Somebody asked the ledger to stop. Not an Exception: nothing on the way may take it for an error."""


class Signals:
    """Counts requests to stop; wakes the loop for them and for children that end. Used as a context."""

    def __init__(self) -> None:
        self.stops = 0
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in STOPPING:
            self._before[number] = signal.signal(number, self._count)
        # A handler must exist, or the kernel's default would not wake the loop.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reading)
        os.close(self._writing)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1

    def wait(self, seconds: float) -> None:
        """Until a signal arrives, or so long."""
        if select.select([self._reading], [], [], max(0.0, seconds))[0]:
            while len(os.read(self._reading, 4096)) == 4096:
                pass
