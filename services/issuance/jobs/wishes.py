"""One kind of row each: how it is judged in a dry run, and how it is done. The same rules as for a single request.

Rows are worked on many at once, and yet each is decided by itself: by a command of its own that follows from the job
and the row. An outlook is what a row would come to; an outcome is what it came to.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from issuance.jobs.records import Fault, RowOutcome, StoredRow
from issuance.jobs.rules import JobState
from issuance.parts import Issuance
from ledger import errors, ids
from ledger.codec import Actor
from ledger.store import Wish


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A job at work: its state, and for whom its rows are decided (the one who handed it in)."""

    issuance: Issuance
    job: JobState
    actor: Actor
    person: str | None

    def wish(self, number: int) -> Wish:
        """The wish of a row: the same one, however often it is asked for."""
        cause = f"{self.job.id}/{number}"
        return Wish(
            tenant=self.job.tenant,
            command=ids.caused_command(self.issuance.settings.server_secret, "job-row", cause),
            actor=msgspec.structs.replace(self.actor, request=f"{self.job.id}.{number}"),
            person=self.person,
        )


class RowKind(Protocol):
    """What a kind of rows can."""

    async def judge(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        """What each row would come to; nothing is recorded."""
        ...

    async def do(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        """What each row came to. Raises Unavailable when a part that it needs is away: then it is asked again."""
        ...


def repeated(row: StoredRow) -> RowOutcome:
    """The outcome of a row about the same one as an earlier row."""
    detail = f"The same as in row {row.repeats}, which counts."
    return RowOutcome(number=row.number, said="repeated", fault=Fault("repeated", detail))


def refused(row: StoredRow, error: errors.LedgerError) -> RowOutcome:
    """The outcome of a row that a rule or its type refuses."""
    return RowOutcome(number=row.number, said="refused", fault=Fault(error.code, error.detail, tuple(error.errors)))


def with_defaults(row: StoredRow, **defaults: Any) -> dict[str, Any]:
    """The row's body, completed by what holds for the whole job."""
    return {**{name: value for name, value in defaults.items() if value is not None}, **row.body}
