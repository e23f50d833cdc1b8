"""What the one command promises about secrets, accounts and the network."""

import json
import os
import pwd
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.deploy.running import Ledger

Start = Callable[..., Ledger]
OWN_SECRETS = {"KEK", "SIGNING_KEK", "OPERATOR_KEY", "SERVER_SECRET", "KEY_PEPPER"}
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
LISTENING = "0A"


def test_secrets_are_private_and_stand_in_no_argument_log_or_runtime_file(ledger: Start, data: Path) -> None:
    one = ledger().until_ready()
    files = [*(file for file in (data / "secrets").rglob("*") if file.is_file()), data / "operator.key"]
    secrets = [file.read_text().strip() for file in files if file.name != "made"]
    identity = json.loads((data / "secrets" / "nats.json").read_text())
    secrets += [identity["operator_seed"], identity["ledger_seed"]]
    assert len(secrets) >= 17

    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert (data / "secrets").stat().st_mode & 0o777 == 0o700
    assert data.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    shown = [one.output, (data / "runtime.json").read_text(), *one.processes()]
    shown += [log.read_text() for log in (data / "log").iterdir()]
    assert [secret for secret in secrets for text in shown if secret in text] == []
    assert one.stop() == 0


def test_each_service_is_told_only_the_secrets_that_it_holds(ledger: Start) -> None:
    one = ledger().until_ready()

    def told(name: str) -> set[str]:
        with urllib.request.urlopen(f"{one.runtime['urls'][name]}/environment") as answer:  # noqa: S310  our own server
            names = {entry.removeprefix("CREDLEDGER_").removesuffix("_FILE") for entry in json.load(answer)}
        return names & OWN_SECRETS

    assert told("issuance") == OWN_SECRETS
    assert told("registry") == {"SERVER_SECRET", "KEY_PEPPER"}
    assert told("revocation") == {"SERVER_SECRET", "KEY_PEPPER", "SIGNING_KEK"}
    assert one.stop() == 0


def test_no_os_user_is_made_and_no_server_runs_as_root(ledger: Start) -> None:
    users = pwd.getpwall()

    one = ledger().until_ready()

    owners = {name: Path("/proc", str(one.pid_of(name))).stat().st_uid for name in ("PostgreSQL", "NATS")}
    assert 0 not in owners.values(), owners
    assert pwd.getpwall() == users
    assert one.stop() == 0


def test_nothing_listens_outside_loopback(ledger: Start) -> None:
    one = ledger().until_ready()
    inodes = {inode for name in one.runtime["children"] for inode in sockets_of(one.pid_of(name))}

    rows = [line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]]
    listening = {row[1].split(":")[0] for row in rows if row[3] == LISTENING and row[9] in inodes}

    assert listening
    assert listening <= LOOPBACK
    assert one.stop() == 0


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    links = [os.readlink(entry) for entry in Path("/proc", str(pid), "fd").iterdir()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
