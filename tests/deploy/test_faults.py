"""What the one command promises when processes die: no orphan, no loss of service, no start that fails afterwards."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.deploy.running import Ledger, eventually, free_base, is_alive, passable_folder

Start = Callable[..., Ledger]
CHILDREN = ("PostgreSQL", "NATS", "issuance", "registry", "revocation")
ORPHAN_SECONDS = 1.0
CHANCE = random.SystemRandom()


def test_killing_the_supervisor_while_it_makes_the_cluster_leaves_nothing_and_the_next_start_works() -> None:
    with passable_folder() as folder:
        making = folder / "state" / "pg" / "data.new"
        for moment in range(4):
            with Ledger(folder / "state", free_base()) as one:
                assert eventually(making.exists, 10)
                eventually(one.is_ready, 0.15 * moment)
                kill_supervisor(one)
        with Ledger(folder / "state", free_base()) as one:
            assert one.until_ready().stop() == 0


def test_killing_the_supervisor_at_any_moment_leaves_nothing_and_the_next_start_works(ledger: Start) -> None:
    ledger().until_ready().stop()
    for _ in range(6):
        one = ledger()
        eventually(one.is_ready, CHANCE.uniform(0.2, 1.5))
        kill_supervisor(one)

    assert ledger().until_ready().stop() == 0


def kill_supervisor(one: Ledger) -> None:
    """SIGKILL; then nothing of it may run for longer than a second."""
    one.process.kill()
    one.process.wait()
    assert eventually(lambda: one.processes() == [], ORPHAN_SECONDS), one.processes()


def test_each_child_that_is_killed_is_started_again(ledger: Start) -> None:
    one = ledger().until_ready()
    for name in CHILDREN:
        killed = one.pid_of(name)
        os.kill(killed, signal.SIGKILL)

        assert eventually(lambda name=name, killed=killed: is_back(one, name, killed), 5), one.output
        assert f"{name} ended (killed by SIGKILL); starting it again" in one.output

    assert one.stop() == 0


def test_nats_comes_back_on_the_port_that_the_services_know(ledger: Start) -> None:
    one = ledger().until_ready()
    before, killed = one.runtime["nats_url"], one.pid_of("NATS")

    os.kill(killed, signal.SIGKILL)

    assert eventually(lambda: is_back(one, "NATS", killed), 5), one.output
    assert one.runtime["nats_url"] == before


def is_back(one: Ledger, name: str, killed: int) -> bool:
    """Whether another process serves in its place."""
    child = one.runtime["children"][name]
    return bool(child["ready"]) and child["pid"] not in (None, killed)


def test_a_child_that_ends_five_times_within_a_minute_stops_everything(ledger: Start) -> None:
    one = ledger().until_ready()

    while not eventually(lambda: one.process.poll() is not None, 0.01):
        if pid := one.pid_of("registry"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    assert one.until_ended() == 1
    assert "registry ended five times within a minute (killed by SIGKILL); its last lines:" in one.output
    assert one.processes() == []


def test_a_child_that_cannot_start_fails_at_once_with_the_last_lines_of_its_log(ledger: Start) -> None:
    one = ledger(FRAGILE="issuance")

    assert one.until_ended() == 1
    assert "issuance ended while starting (status 7); its last lines:\n    issuance cannot live like this" in one.output
    assert one.processes() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_every_request_to_stop_is_a_clean_stop(ledger: Start, number: signal.Signals) -> None:
    one = ledger().until_ready()

    assert one.stop(number) == 0
    assert one.processes() == []


def test_a_second_request_to_stop_no_longer_waits_for_a_stubborn_service(ledger: Start) -> None:
    one = ledger(STUBBORN="on").until_ready()
    one.process.send_signal(signal.SIGINT)
    assert eventually(lambda: one.runtime["state"] == "stopping", 5)
    began = time.monotonic()

    assert one.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 3
    assert one.processes() == []


def test_a_request_to_stop_during_the_start_is_obeyed(ledger: Start) -> None:
    one = ledger()
    assert eventually(lambda: "PostgreSQL" in one.output, 10)

    assert one.stop() == 0
    assert one.processes() == []


def test_without_the_kernels_help_a_pipe_ends_the_children_of_a_dead_supervisor(tmp_path: Path) -> None:
    """The way of systems other than Linux, run here."""
    program = f"""
import sys, signal, time
sys.path[0] = {str(Path(__file__).resolve().parents[2])!r}
from deploy.runtime.children import Command, Leash
leash = Leash(kernel=False)
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
with open({str(tmp_path / "log")!r}, "wb") as log:
    command = Command(argv=sleeper, environment={{}}, death_signal=signal.SIGKILL)
    children = [leash.spawn(command, log.fileno()) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
time.sleep(60)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pids = supervisor.stdout.readline().split()
    assert [is_alive(pid) for pid in pids] == [True, True]

    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()

    assert eventually(lambda: not any(is_alive(pid) for pid in pids), ORPHAN_SECONDS)
