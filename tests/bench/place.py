"""Where a run takes place: servers as the product runs them, on a disk, and somebody to tell how far it is."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import msgspec
from deploy.runtime.postgres import SERVER_SETTINGS
from tests import servers
from tests.bench.figures import Sample
from tests.bench.machine import disk_sample
from tests.conftest import _make_template
from tests.servers import PostgresServer


class Place(msgspec.Struct):
    """One run's surroundings; every part asks the disk again, so that the machine line covers the run."""

    disk_seconds: float
    began: float = msgspec.field(default_factory=time.monotonic)
    disk: list[Sample] = []

    def say(self, what: str) -> None:
        """One line of progress."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.0f} s  {what}\n")
        sys.stdout.flush()

    def sample_disk(self, folder: Path) -> None:
        """Ask the disk under this folder once more."""
        self.disk.append(disk_sample(folder, self.disk_seconds))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder that the servers' account can enter, on the disk of temporary files."""
        with tempfile.TemporaryDirectory(prefix="clbench-") as name:
            Path(name).chmod(0o711)
            yield Path(name)

    @contextmanager
    def postgres(self) -> Iterator[PostgresServer]:
        """A server with the product's own settings and the template database."""
        with servers.postgres() as server:
            asyncio.run(_configure(server))
            server.stop()
            server.start()
            asyncio.run(_make_template(server))
            yield server

    def empty_database(self, server: PostgresServer, name: str) -> str:
        """A new database without anything in it; its name."""
        asyncio.run(_execute(server, f"CREATE DATABASE {name}"))
        return name

    def settle(self, server: PostgresServer) -> None:
        """Statistics, a checkpoint, and as many log segments to reuse as the server's settings keep: rounds then start
        as those of a server that has run for a while, and none waits for a segment to be made for the first time."""
        asyncio.run(_settle(server))


async def _configure(server: PostgresServer) -> None:
    for setting in SERVER_SETTINGS:
        name, _, value = setting.partition("=")
        await _execute(server, f"ALTER SYSTEM SET {name} = '{value}'")


async def _execute(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _settle(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        names = await connection.fetch("SELECT datname FROM pg_database WHERE NOT datistemplate AND datallowconn")
    finally:
        await connection.close()
    for row in names:
        inside = await asyncpg.connect(server.url(row["datname"]))
        try:
            await inside.execute("ANALYZE")
        finally:
            await inside.close()
    await _execute(server, FILL_KEPT_SEGMENTS)
    await _execute(server, "CHECKPOINT")


FILL_KEPT_SEGMENTS = """
DO $$ BEGIN
  FOR _ IN 1 .. pg_size_bytes(current_setting('min_wal_size')) / pg_size_bytes(current_setting('wal_segment_size')) LOOP
    PERFORM pg_logical_emit_message(false, 'bench', 'a segment with nothing in it is not switched', true);
    PERFORM pg_switch_wal();
  END LOOP;
END $$
"""
