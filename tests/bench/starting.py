"""How long until `ready`: on fresh data, on data that is there, and from a clone."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bench.figures import Figure, median_of
from tests.bench.local import ROOT, Local
from tests.bench.place import Place
from tests.bench.sizes import Sizes

INSTALL_SECONDS = 900


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`cold_start_s`, `warm_start_s` and `first_ready_s`."""
    with place.folder() as folder:
        place.sample_disk(folder)
        starts = [_starts(folder / f"data-{number}", place) for number in range(sizes.start_rounds)]
        download, firsts = _firsts(sizes, place, folder)
        place.sample_disk(folder)
    cold, warm, cold_demo, warm_demo = ([start[i] for start in starts] for i in range(4))
    return [
        Figure(
            name="cold_start_s", unit="s", rounds=cold, at_most=8,
            how="The supervisor on a fresh data folder, packages installed, until `ready`, the demo off: cluster, "
            "schema, secrets, five processes. With the demo on, its first loading is included.",
            beside={"with_the_demo_s": median_of(cold_demo)},
        ),
        Figure(
            name="warm_start_s", unit="s", rounds=warm, at_most=3,
            how="The same data folder again after a clean stop.",
            beside={"with_the_demo_s": median_of(warm_demo)},
        ),
        Figure(
            name="first_ready_s", unit="s", rounds=firsts, at_most=60,
            how="`git clone` and `make run` until `ready`, demo included, with every package of the lock beside it.",
            beside={"download_s": download},
        ),
    ]  # fmt: skip


def _starts(data: Path, place: Place) -> tuple[float, float, float, float]:
    """Cold and warm without the demo, cold and warm with it."""
    seconds = []
    for demo in (False, True):
        ledger = Local(data.with_name(f"{data.name}-demo-{demo}"), demo=demo)
        for _ in range(2):
            try:
                seconds.append(ledger.start())
                place.say(f"start, demo {'on' if demo else 'off'}: {seconds[-1]:.2f} s")
            finally:
                ledger.stop()
        shutil.rmtree(ledger.data)
    cold, warm, cold_demo, warm_demo = seconds
    return cold, warm, cold_demo, warm_demo


def _firsts(sizes: Sizes, place: Place, folder: Path) -> tuple[float, list[float]]:
    """The seconds that downloading took, and those of each first start without it."""
    wheels = folder / "wheels"
    began = time.perf_counter()
    lock = str(ROOT / "requirements.lock")
    pip = [str(ROOT / ".venv/bin/python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "--no-deps", "--dest", str(wheels), "--requirement", lock], folder)
    download = time.perf_counter() - began
    place.say(f"packages downloaded: {download:.1f} s")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CACHE_DIR": str(folder / "cache")}
    firsts = []
    for number in range(sizes.first_rounds):
        firsts.append(_first(folder / f"clone-{number}", offline))
        place.say(f"first start from a clone: {firsts[-1]:.1f} s")
    return download, firsts


def _first(clone: Path, offline: Mapping[str, str]) -> float:
    began = time.perf_counter()
    _run(["git", "clone", "--quiet", str(ROOT), str(clone)], clone.parent)
    cloned = time.perf_counter() - began
    ledger = Local(clone / ".credledger", demo=True, root=clone, command=("make", "run"))
    try:
        return cloned + ledger.start(offline)
    finally:
        ledger.stop()
        shutil.rmtree(clone)


def _run(command: list[str], folder: Path) -> None:
    ran = subprocess.run(
        command, cwd=folder, env=dict(os.environ), capture_output=True, check=False, timeout=INSTALL_SECONDS, text=True
    )
    if ran.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{ran.stderr[-3000:]}")
