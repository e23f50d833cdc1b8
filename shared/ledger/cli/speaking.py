"""How commands speak: tables and marks to a person, JSON to a machine, progress on stderr where that is a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

PIPE_COLUMNS = 1000
MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("–", "yellow")}


def say(text: str = "", style: str | None = None) -> None:
    """A line for a person, on stdout."""
    Console(highlight=False, soft_wrap=True).print(escape(text), style=style)


def note(text: str) -> None:
    """A line beside the answer, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text))


def say_json(value: Any) -> None:
    """The answer for a machine: one JSON value, members as they came."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """Rows for a person; absent values are blank. The first column, which names the thing, is never broken; a file or
    a pipe gets whole lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    whole = not Console().is_terminal
    for number, column in enumerate(columns):
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=whole or number == 0)
    for row in rows:
        table.add_row(*(escape(_cell(row.get(column))) for column in columns))
    Console(highlight=False, width=PIPE_COLUMNS if whole else None).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)


class Bar:
    """Counts done work; shown only where stderr is a terminal."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def to(self, done: int) -> None:
        """So much is done."""
        self._progress.update(self._task, completed=done)

    def step(self) -> None:
        """One more is done."""
        self._progress.advance(self._task)


@contextmanager
def progress(what: str, total: int) -> Iterator[Bar]:
    """A bar while the work runs."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(shown, shown.add_task(what, total=total))
