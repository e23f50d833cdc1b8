"""How long until `ready`: on fresh data, on data that is there, and from a clone."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import Figure, median_of, rounded
from tests.bench.local import ROOT, Local
from tests.bench.place import Place
from tests.bench.sizes import Sizes

INSTALL_SECONDS = 900


def measure(sizes: Sizes, place: Place) -> list[Figure]:
    """`cold_start_s` and `warm_start_s`."""
    with place.folder() as folder:
        place.sample_disk(folder)
        starts = [_starts(folder / f"data-{number}", place) for number in range(sizes.start_rounds)]
    cold, warm, cold_demo, warm_demo = ([start[i] for start in starts] for i in range(4))
    return [
        Figure(
            name="cold_start_s",
            unit="s",
            rounds=cold,
            at_most=8,
            how="The supervisor on a fresh data folder, packages installed, until `ready`, the demo off: cluster, "
            "schema, secrets, five processes. With the demo on, its first loading is included.",
            beside={"with_the_demo_s": median_of(cold_demo)},
        ),
        Figure(
            name="warm_start_s",
            unit="s",
            rounds=warm,
            at_most=3,
            how="The same data folder again after a clean stop, the demo off.",
            beside={"with_the_demo_s": median_of(warm_demo)},
        ),
    ]


def measure_first(sizes: Sizes, place: Place) -> list[Figure]:
    """`first_ready_s`."""
    with place.folder() as folder:
        place.sample_disk(folder)
        download, wheels = _downloaded(folder)
        place.say(f"packages downloaded: {download:.1f} s")
        rounds = []
        for number in range(sizes.first_rounds):
            rounds.append(_first(folder / f"clone-{number}", wheels))
            place.say(f"first start from a clone: {rounds[-1]:.1f} s")
    return [
        Figure(
            name="first_ready_s",
            unit="s",
            rounds=rounds,
            at_most=60,
            how="`git clone` and `make run` until `ready`: environment, packages, cluster, services and demo. Every "
            "package of the lock lies beside it; what fetching them took is shown apart.",
            beside={"download_s": rounded(download)},
        )
    ]


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


def _downloaded(folder: Path) -> tuple[float, Path]:
    """The seconds that fetching every package of the lock took, and the folder that holds them."""
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    began = time.perf_counter()
    _run([*pip, "--no-deps", "--dest", str(wheels), "--requirement", str(ROOT / "requirements.lock")], folder)
    return time.perf_counter() - began, wheels


def _first(clone: Path, wheels: Path) -> float:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
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
    ran = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=INSTALL_SECONDS, text=True)
    if ran.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{ran.stderr[-3000:]}")
