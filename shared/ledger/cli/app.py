"""The commands, wired: arguments in, one part called, the answer shown. No logic.

Where things are (`ledger.cli.place`) comes from the environment, else from the state folder of `make run`.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import stamina.instrumentation
from cyclopts import App, CycloptsError, Parameter

from ledger import migrate as schema
from ledger.cli import institutions, keys
from ledger.cli import replay as replaying
from ledger.cli.api import PATIENT_SECONDS, Api
from ledger.cli.award_csv import award_class_list, write_errors
from ledger.cli.class_list import parse_columns, read_class_list
from ledger.cli.demo import load_demo
from ledger.cli.failure import REFUSED, UNAVAILABLE, USAGE, Failure
from ledger.cli.options import AsJson, Key
from ledger.cli.place import Place
from ledger.cli.rebuild import SERVICES, rebuild_service
from ledger.cli.speaking import note, say, say_json, say_table
from ledger.cli.verify import question, show

app = App(name="credledger", help="The ledger of microcredentials, from the command line.", version_flags=[])
app.command(keys.app)
app.command(institutions.app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    stamina.instrumentation.set_on_retry_hooks([])  # a wait of a moment is not worth a line
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
    except BrokenPipeError:  # the reader has seen enough
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        note("credledger: stopped.")
        return 130
    return status if isinstance(status, int) else 0


@app.command(name="migrate")
def migrate_schema(*, json: AsJson = False) -> None:
    """Bring the database to this release's schema. A second run changes nothing."""
    url = Place.here().owner_database_url()
    try:
        applied = asyncio.run(schema.migrate(url))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(
            f"The database cannot be migrated ({error}): CREDLEDGER_OWNER_DATABASE_URL must name its owner.",
            UNAVAILABLE,
        ) from error
    if json:
        say_json({"applied": applied, "revision": schema.newest_revision()})
    else:
        say(f"Migrated to {applied[-1]}." if applied else "The schema is up to date.")


@app.command
def rebuild(*services: str, json: AsJson = False) -> int:
    """Drop and rebuild the projections of these services (all where none is named) and compare their tables' hashes.

    Readers see half-filled tables while it runs. Exit status 1 where a rebuilt table differs from what was there; what
    a running service had not yet applied differs too.
    """
    place = Place.here()
    done = [asyncio.run(rebuild_service(name, place.database_url(name))) for name in services or SERVICES]
    if json:
        say_json([{**msgspec.structs.asdict(one), "changed": one.changed} for one in done])
    else:
        rows = [
            {"service": one.service, "table": name, "before": one.before.get(name, "")[:16], "after": digest[:16],
             "equal": one.before.get(name) == digest}
            for one in done for name, digest in one.after.items()
        ]  # fmt: skip
        say_table(rows, ("service", "table", "before", "after", "equal"))
    return REFUSED if any(one.changed for one in done) else 0


@app.command
def replay(
    *,
    to_position: int | None = None,
    to_time: datetime | None = None,
    check: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> None:
    """Write the log as NDJSON, one event a line as `GET /v1/events` has it, each leaf recomputed on the way.

    Parameters
    ----------
    to_position: int
        The last position to replay.
    to_time: datetime
        Replay what the ledger knew at this time (UTC where no zone is given).
    check: bool
        Write no events, only whether all is as it was recorded.
    """
    until = to_time.replace(tzinfo=UTC) if to_time is not None and to_time.tzinfo is None else to_time
    url = Place.here().database_url("registry")
    out = None if check else replaying.standard_output()
    seen = asyncio.run(replaying.replay(url, to_position=to_position, to_time=until, out=out))
    if json and check:
        say_json(seen)
    elif check:
        say(f"{seen.events} events, every leaf as recorded; the last is position {seen.position}.", "green")
    else:
        sys.stdout.flush()


@app.command
def verify(
    what: str,
    /,
    *,
    email: str | None = None,
    did: str | None = None,
    student_id: str | None = None,
    name: str | None = None,
    json: AsJson = False,
) -> int:
    """Verify a credential: a JSON document, JWT, PNG or SVG badge, `-` for standard input, or an address.

    Parameters
    ----------
    what: str
        The file or address.
    email: str
        Ask as well whether it belongs to the person with this e-mail address; neither stored nor logged.
    did: str
        The same for a DID.
    student_id: str
        The same for a student id.
    name: str
        The same for a name.
    """
    asked = {"email": email, "did": did, "student_id": student_id, "name": name}
    body = question(what, {kind: value for kind, value in asked.items() if value is not None})
    with Api(Place.here().address("registry")) as registry:
        verdict = registry.ask("/v1/verifications", body)
    if json:
        say_json(verdict)
    else:
        show(verdict)
    return 0 if verdict["verified"] else REFUSED


@app.command(name="award-csv")
def award_csv(file: Path, /, *, achievement: str, columns: str = "", key: Key = None, json: AsJson = False) -> int:
    """Award an achievement to everybody in a class list. Run again, it awards nobody twice.

    Refused rows are written to `<file>.errors.csv` with the reason: mend them there and award that file.

    Parameters
    ----------
    file: Path
        A CSV file (UTF-8) whose first line names the columns: email, name, student_id, did, narrative, evidence,
        credits_earned, license_number, term, awarded_date, valid_from, valid_until.
    achievement: str
        The achievement's id (ach_…); the newest version is awarded.
    columns: str
        Which heading holds what, where they are others: email=E-Mail,name=Name
    """
    place = Place.here()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", USAGE) from error
    listed = read_class_list(content, parse_columns(columns))
    with Api(place.address("issuance"), place.institution_key(key), retry_seconds=PATIENT_SECONDS) as issuance:
        outcomes = award_class_list(issuance, listed, achievement)
    errors = write_errors(file, listed, outcomes)
    counts = {kind: sum(one.outcome == kind for one in outcomes)
              for kind in ("awarded", "already_awarded", "repeated", "refused")}  # fmt: skip
    if json:
        say_json({"file": str(file), "achievement_id": achievement, "counts": counts, "rows": outcomes,
                  "errors_file": str(errors) if errors else None})  # fmt: skip
    else:
        say_table([msgspec.to_builtins(one) for one in outcomes], ("line", "outcome", "award_id", "detail"))
        say(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count) or "No rows.")
        if errors:
            say(f"The refused rows are in {errors}: mend them there and award that file.", "yellow")
    return REFUSED if errors else 0


@app.command
def demo(
    *,
    if_needed: Annotated[bool, Parameter(negative="")] = False,
    content: Path | None = None,
    json: AsJson = False,
) -> None:
    """Load the demo: invented institutions, their catalogue, a class with its awards, and samples to verify.

    Killed and run again, it goes on where it stopped.

    Parameters
    ----------
    if_needed: bool
        Do nothing where it was loaded already.
    content: Path
        The folder of the demo's content; default `deploy/demo` of this project.
    """
    loaded = load_demo(Place.here(), content, if_needed=if_needed)
    if json:
        say_json(loaded)
    elif loaded.already:
        say("The demo was loaded already.")
    else:
        say(f"Loaded {loaded.achievements} achievements and {loaded.awards} awards: {loaded.page}")
