"""Rows that lead to results, and through a mapping to results and awards: judged as the preview judges them, and done
each as its actions would be done alone.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from issuance import intake
from issuance.intake import Carried, Rehearsal
from issuance.jobs.records import RowOutcome, StoredRow
from issuance.jobs.wishes import Work, refused, with_defaults
from issuance.mapping import RowAction, RowFault, apply, versions
from issuance.parts import now
from issuance.results import Origin, RecordResult
from issuance.signing import award_id
from ledger import errors
from ledger.events import Awarded
from ledger.web.validation import convert

Read = Callable[[StoredRow], list[RowAction]]


class ActionRows(ABC):
    """A kind whose rows each lead to any number of actions."""

    @abstractmethod
    async def reader(self, work: Work) -> tuple[Read, Origin]:
        """What reads a row of this job, and what its results are made from. The reader raises LedgerError."""

    async def judge(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        read, _ = await self.reader(work)
        rehearsal = Rehearsal(work.issuance, work.job.tenant)
        outcomes = []
        for row in rows:
            try:
                planned = [await rehearsal.plan(action, at=now()) for action in read(row)]
            except errors.Unavailable:
                raise
            except errors.LedgerError as error:
                outcomes.append(refused(row, error))
                continue
            said = "nothing" if not planned else "held" if all(one.already for one in planned) else "ready"
            outcomes.append(RowOutcome(number=row.number, said=said))
            await asyncio.sleep(0)
        return outcomes

    async def do(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        read, origin = await self.reader(work)
        done = await asyncio.gather(*(self._done(work, row, read, origin) for row in rows))
        made = [(one.event, one.personal) for _, carried in done for one in carried if one.is_signed]
        await work.issuance.signing.sign_many(made, work.issuance.traffic.turn)
        return [outcome for outcome, _ in done]

    async def _done(
        self, work: Work, row: StoredRow, read: Read, origin: Origin
    ) -> tuple[RowOutcome, Sequence[Carried]]:
        try:
            carried = await intake.decide(work.issuance, work.wish(row.number), read(row), origin)
        except errors.Unavailable:
            raise
        except errors.LedgerError as error:
            return refused(row, error), ()
        return _outcome(row, carried), carried


class ResultRows(ActionRows):
    """The kind `results`: each row is the body of `POST /v1/results`."""

    async def reader(self, work: Work) -> tuple[Read, Origin]:
        created = work.job.created
        defaults = {"achievement_id": created.achievement_id, "on_duplicate": created.on_duplicate}

        def read(row: StoredRow) -> list[RowAction]:
            return [("result", convert(with_defaults(row, **defaults), RecordResult))]

        return read, Origin()


class MappedRows(ActionRows):
    """The kind `mapped`: each row is a record that the job's mapping reads, in the version that the job pins."""

    async def reader(self, work: Work) -> tuple[Read, Origin]:
        created = work.job.created
        state = await intake.mapping_state(work.issuance, work.job.tenant, str(created.mapping))
        mapping = versions.version_of(state, created.mapping_version)

        def read(row: StoredRow) -> list[RowAction]:
            applied = apply(mapping, row.body["record"])
            if isinstance(applied, RowFault):
                raise errors.Malformed("The mapping cannot read this row.", errors=applied.errors)
            return applied

        return read, Origin(mapping=mapping.id, mapping_version=mapping.version)


def _outcome(row: StoredRow, carried: Sequence[Carried]) -> RowOutcome:
    """What a row came to: the most that came of it, and the award if there is one."""
    award = next((one.event for one in carried if isinstance(one.event.event, Awarded)), None)
    kinds = {one.kind for one in carried if one.outcome != "returned"}
    said: Any = "awarded" if "award" in kinds else "recorded" if kinds else "returned" if carried else "nothing"
    if said == "awarded" and award is None:  # a second key has to approve
        said = "proposed"
    return RowOutcome(
        number=row.number,
        said=said,
        award_id=award_id(award) if award else None,
        position=carried[0].event.position if carried else None,
    )
