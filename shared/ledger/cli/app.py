"""The commands by name, each in its own module and read only when it is asked for; and how a command ends.

Where things are (`ledger.cli.place`) comes from the environment, else from the state folder of `make run`.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from ledger.cli.failure import USAGE, Failure
from ledger.cli.speaking import note
from ledger.errors import LedgerError

# By path: a command that asks HTTP must not wait for the libraries of one that migrates.
COMMANDS = {
    "verify": ("ledger.cli.verify:verify", "What the registry says of a credential, check by check."),
    "replay": ("ledger.cli.replay:replay_log", "The whole log, each leaf recomputed on the way."),
    "award-csv": ("ledger.cli.award_csv:award_csv", "Award a class list; run again, it awards nobody twice."),
    "revoke-csv": ("ledger.cli.revoke_csv:revoke_csv", "Revoke or suspend every award in a list."),
    "jobs": ("ledger.cli.jobs:app", "Lists at work: list, pause, resume, cancel."),
    "institutions": ("ledger.cli.institutions:app", "Institutions: take in, suspend, rename, move, merge, close."),
    "keys": ("ledger.cli.keys:app", "API keys, signing keys, and the keys that seal the vault."),
    "erasures": ("ledger.cli.erasures:app", "Erasures: apply them again after a restore."),
    "trigger": ("ledger.cli.trigger:trigger", "Make sample events in a sandbox."),
    "demo": ("ledger.cli.demo:demo", "Load the demo: invented institutions, a class, samples to verify."),
    "migrate": ("ledger.cli.migrate:migrate_schema", "Bring the database to this release's schema."),
    "rebuild": ("ledger.cli.rebuild:rebuild_services", "Drop and rebuild projections, and compare their hashes."),
}

app = App(name="credledger", help="The ledger of microcredentials, from the command line.", version_flags=[])
for name, (path, text) in COMMANDS.items():
    app.command(path, name=name, help=text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    try:
        status = app(
            sys.argv[1:] if arguments is None else arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        note(f"credledger: {str(error).strip()} See `credledger --help`.")
        return USAGE
    except Failure as failure:
        note(f"credledger: {failure.sentence}")
        return failure.status
    except LedgerError as error:  # what was given cannot be right, as the ledger itself would say
        note(f"credledger: {error.detail}")
        return USAGE
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        note("credledger: stopped.")
        return 130
    return status if isinstance(status, int) else 0
