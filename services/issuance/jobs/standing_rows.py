"""Rows that revoke or suspend: revocation decides them, asked over NATS in batches; nothing of it is decided here.

`cmd.revocation.change.v1` takes many wishes of one institution and answers each by itself. A wish's command follows
from the job and the row, so asking again changes nothing twice.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from issuance.awarding import EXTERNAL_ID
from issuance.jobs.records import Fault, RowOutcome, StoredRow
from issuance.jobs.wishes import Work, refused, repeated, with_defaults
from issuance.signing import award_id
from ledger import errors
from ledger.errors import FieldError

SUBJECT = "cmd.revocation.change.v1"
TIMEOUT_SECONDS = 15.0


class _Answered(msgspec.Struct):
    """What revocation says of one wish: changed, nothing, proposed, refused or unknown."""

    said: str
    position: int | None = None
    fault: Fault | None = None


class _Answer(msgspec.Struct):
    items: list[_Answered] = []
    error: dict[str, str] | None = None


class StandingRows:
    """The kinds `revocations` and `suspensions`: `change` is revoke or suspend."""

    def __init__(self, change: str) -> None:
        self._change = change

    async def judge(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        said = {"changed": "ready", "nothing": "nothing", "refused": "refused", "unknown": "refused"}
        return await self._ask(work, rows, said, dry_run=True)

    async def do(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        said = {"changed": "changed", "nothing": "nothing", "refused": "refused", "unknown": "refused"}
        return await self._ask(work, rows, {**said, "proposed": "proposed"}, dry_run=False)

    async def _ask(
        self, work: Work, rows: Sequence[StoredRow], said: dict[str, str], *, dry_run: bool
    ) -> list[RowOutcome]:
        outcomes = [repeated(row) for row in rows if row.repeats is not None]
        items: list[dict[str, Any]] = []
        asked: list[tuple[StoredRow, str]] = []
        for row in rows:
            if row.repeats is not None:
                continue
            try:
                award = await self._award(work, row.body)
            except errors.LedgerError as error:
                outcomes.append(refused(row, error))
                continue
            body = with_defaults(row, reason_code=work.job.created.reason_code)
            wish = {name: value for name, value in body.items() if name not in ("award_id", "external_id")}
            items.append({"command": str(work.wish(row.number).command), "award_id": award, "wish": wish})
            asked.append((row, award))
        answers = await self._answers(work, items, dry_run=dry_run) if items else []
        return outcomes + [
            RowOutcome(
                number=row.number,
                said=said[one.said],
                award_id=award,
                position=one.position,
                fault=one.fault,
            )
            for (row, award), one in zip(asked, answers, strict=True)
        ]

    async def _award(self, work: Work, body: dict[str, Any]) -> str:
        """The award that a row is about: by its id, or by the institution's own."""
        given, external = body.get("award_id"), body.get("external_id")
        if isinstance(given, str) and given:
            return given
        if not isinstance(external, str) or not external:
            where = [FieldError("/award_id", "one of award_id and external_id is required")]
            raise errors.Malformed("The row names no award.", errors=where)
        issuance, tenant = work.issuance, work.job.tenant
        position = await issuance.vault.position_of(issuance.external_name(tenant, EXTERNAL_ID, external))
        if position is None:
            raise errors.NotFound("There is no award with this external_id.")
        return award_id(await issuance.store.at(position))

    async def _answers(self, work: Work, items: list[dict[str, Any]], *, dry_run: bool) -> list[_Answered]:
        wish = work.wish(0)
        request = {
            "tenant": work.job.tenant,
            "actor": {"key": wish.actor.key, "role": wish.actor.role, "request": work.job.id},
            "person": work.person,
            "change": self._change,
            "dry_run": dry_run,
            "items": items,
        }
        raw = await work.issuance.bus.request(SUBJECT, msgspec.json.encode(request), TIMEOUT_SECONDS)
        answer = msgspec.json.decode(raw, type=_Answer)
        if answer.error is not None:
            raise errors.Unavailable(
                f"Revocation cannot do it now: {answer.error.get('detail')}", retry_after_seconds=1
            )
        return answer.items
