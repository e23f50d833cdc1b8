"""What a person sees: calm, short, aligned. A terminal that went away never breaks the ledger."""

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TextIO

NAME_WIDTH = 14


class Screen:
    """Lines for a newcomer. On a terminal the step under way is shown and then overwritten by its outcome."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._under_way = ""

    def line(self, text: str = "") -> None:
        """One line."""
        over = "\r\x1b[K" if self._under_way else ""
        self._under_way = ""
        self._write(f"{over}{text}\n")

    def under_way(self, name: str, text: str) -> None:
        """A step that has begun; only a terminal shows it, until the next line replaces it."""
        shown = f"\r\x1b[K  {name:<{NAME_WIDTH}}{text} …"
        if self._terminal and shown != self._under_way:
            self._under_way = shown
            self._write(shown)

    def step(self, name: str, text: str, seconds: float) -> None:
        """A step that is done, with the time it took."""
        self.line(f"  {name:<{NAME_WIDTH}}{text:<34}{seconds:5.1f} s")

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values, aligned."""
        for name, value in rows:
            self.line(f"  {name:<{NAME_WIDTH}}{value}")

    def happening(self, text: str) -> None:
        """Something that happened while the ledger runs, with the local time."""
        self.line(f"  {time.strftime('%H:%M:%S')}  {text}")

    def _write(self, text: str) -> None:
        # The terminal may be closed under us (SIGHUP); then there is nobody to tell, and children still to stop.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
