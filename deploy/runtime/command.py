"""The command line: arguments, what comes before the start, exit statuses.

0 stopped as asked · 1 something broke · 2 settings or surroundings do not allow it · 3 already running
`status`: 0 when a ledger runs on this data, else 1
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .account import account_for, require_passage
from .nats import make_nats_identity
from .refusal import FAILED, Refusal
from .screen import Screen
from .secrets import make_secrets
from .services import require_free_ports
from .settings import Settings
from .state import State
from .supervisor import Programs, Supervisor

USAGE = "usage: python deploy/local.py [status [--json]]"


def main(arguments: Sequence[str], programs: Programs | None = None) -> int:
    """Run the command and return the exit status."""
    try:
        match list(arguments):
            case []:
                start(Settings.from_environment(), programs or Programs())
                return 0
            case ["status"]:
                return show_status(Settings.from_environment().data, as_json=False)
            case ["status", "--json"]:
                return show_status(Settings.from_environment().data, as_json=True)
            case ["-h" | "--help"]:
                print(USAGE)
                return 0
            case _:
                raise Refusal(USAGE)
    except Refusal as refusal:
        print(f"credledger: {refusal}", file=sys.stderr)
        return refusal.status
    except OSError as error:  # a full disk, a state folder that went away: everything is stopped by now
        print(f"credledger: {error.strerror}: {error.filename or 'the state folder'}", file=sys.stderr)
        return FAILED


def start(settings: Settings, programs: Programs) -> None:
    """Everything before the first child, in this order: nothing is made where the ledger could not run anyway, and
    nothing is touched that another ledger holds."""
    os.umask(0o077)
    account = account_for(settings.data, settings.run_as, settings.environment)
    require_passage(settings.data, account)
    state = State(settings.data, account)
    state.make()
    lock = state.lock()
    try:
        require_free_ports(settings, has_data=state.cluster.exists())
        try:
            make_secrets(state)
            if not settings.nats_url:
                make_nats_identity(state)
        except OSError as error:
            raise Refusal(f"The state folder {state.folder} cannot be used: {error.strerror}.") from error
        Supervisor(settings, state, lock, programs).run()
    finally:
        os.close(lock)


def show_status(folder: Path, *, as_json: bool) -> int:
    """What runs on this data, for a person or a program."""
    state = State(folder)
    running = state.is_locked()
    facts: dict[str, Any] = state.read_runtime() if running else {"state": "not running", "data": str(folder)}
    if as_json:
        print(json.dumps(facts, indent=2))
        return 0 if running else FAILED
    screen = Screen()
    if not running:
        screen.line(f"No ledger runs on {folder}.")
        return FAILED
    screen.line(f"A ledger runs on {folder}: {facts.get('state')}, process {facts.get('supervisor')}")
    screen.table([(name, url) for name, url in facts.get("urls", {}).items()])
    screen.table([
        (name, f"process {child['pid']}, {'ready' if child['ready'] else 'starting'}, log {child['log']}")
        for name, child in facts.get("children", {}).items()
    ])  # fmt: skip
    return 0
