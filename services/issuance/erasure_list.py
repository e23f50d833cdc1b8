"""The list of erasures that lies outside the backups (DESIGN §5): what a restored vault must lose again.

One line of JSON an erasure: institution, pseudonym, position, time; nothing personal. Lines are only ever added, each
on the disk before the erasure is acknowledged. Several processes may share the file or have one each: every one of them
lists every erasure. A line that a crash cut off is passed over, and the next one begins on a line of its own.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from ledger import errors

log = structlog.get_logger()


class Entry(msgspec.Struct, frozen=True):
    """An erasure: the institution, the learner's pseudonym there, the event's position, and when it was recorded."""

    tenant: str
    learner: str
    position: int
    at: datetime


class ErasureList:
    """The file at `path`; None where no list is kept."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: set[tuple[str, str]] | None = None

    def read(self) -> list[Entry]:
        """Every erasure, each learner once, oldest first. Raises OSError."""
        if self.path is None or not self.path.exists():
            return []
        entries: dict[tuple[str, str], Entry] = {}
        for number, line in enumerate(self.path.read_bytes().splitlines(), 1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError:
                if line.strip():
                    log.error("line of the erasure list cannot be read", line=number)
                continue
            entries.setdefault((entry.tenant, entry.learner), entry)
        return list(entries.values())

    async def add(self, entries: Sequence[Entry]) -> None:
        """List what is not listed yet; it is on the disk when this returns. Raises Unavailable when it cannot be."""
        if self.path is None:
            return
        try:
            await asyncio.to_thread(self._add, self.path, entries)
        except OSError as error:
            log.error("erasure list cannot be written", error=error.strerror)
            raise errors.Unavailable(
                "The erasure is done, but the list that outlives the backups cannot be written; try again.",
                retry_after_seconds=5,
            ) from error

    def _add(self, path: Path, entries: Sequence[Entry]) -> None:
        if self._known is None:
            self._known = {(entry.tenant, entry.learner) for entry in self.read()}
        fresh = [entry for entry in entries if (entry.tenant, entry.learner) not in self._known]
        if not fresh:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            lines = [msgspec.json.encode(entry) + b"\n" for entry in fresh]
            os.write(descriptor, b"\n" * torn + b"".join(lines))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(path.parent)
        self._known.update((entry.tenant, entry.learner) for entry in fresh)


def _sync_folder(folder: Path) -> None:
    """A new file is safe only when its name is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
