"""Approvals as they are read: one by its stream, the list by the projection, and which are approved but not done."""

from typing import Annotated, Literal

import msgspec
from litestar.params import QueryParameter

from ledger import errors
from ledger.approvals.rules import Approval, Status, approval_of
from ledger.codec import Recorded, format_time
from ledger.events import ApprovalRefused
from ledger.store import Store

GRACE_SECONDS = 5.0
Wanted = Annotated[
    Literal["open", "approved", "refused"] | None, QueryParameter(description="Only those that stand so.")
]


class ApprovalState(msgspec.Struct, frozen=True, kw_only=True):
    """How a proposal stands: who proposed it when, who decided when, and the award that came of it or is concerned.
    Keys are named by their ids; `reason_code` is a refusal's."""

    id: str
    position: int
    status: Status
    proposed_at: str
    proposed_by: str
    decided_at: str | None
    decided_by: str | None
    reason_code: str | None
    award_id: str | None


class Approvals:
    """Reads the approvals of a service: those in its schema, on streams of its category."""

    def __init__(self, store: Store, schema: str, category: str) -> None:
        self._store, self._schema, self._category = store, schema, category

    def stream(self, approval_id: str) -> str:
        """The stream of an approval."""
        return f"{self._category}/{approval_id}"

    async def one(self, approval_id: str) -> Approval:
        """The approval as the log has it now. Raises NotFound."""
        found = approval_of(await self._store.load(self.stream(approval_id)))
        if found is None:
            raise errors.NotFound("There is no such approval.")
        return found

    async def page(self, tenant: str, status: str | None, before: int, limit: int) -> list[tuple[Approval, str | None]]:
        """Up to `limit` approvals that `tenant` decides about, proposed before position `before`, newest first; each
        with the award that came of it."""
        query = f"""
            SELECT approval_id, award_id FROM {self._schema}.approvals
            WHERE decides = $1 AND ($2::text IS NULL OR status = $2) AND position < $3
            ORDER BY position DESC LIMIT $4"""  # noqa: S608 - our schema
        rows = await self._store.pool.fetch(query, tenant, status, before, limit)
        return [(await self.one(row["approval_id"]), row["award_id"]) for row in rows]

    async def made(self, approval_id: str) -> str | None:
        """The award that came of an approval."""
        query = f"SELECT award_id FROM {self._schema}.approvals WHERE approval_id = $1"  # noqa: S608 - our schema
        found: str | None = await self._store.pool.fetchval(query, approval_id)
        return found

    async def unfinished(self) -> list[str]:
        """What was approved some seconds ago and nothing came of it yet: a crash came between."""
        query = f"""
            SELECT approval_id FROM {self._schema}.approvals WHERE status = 'approved' AND award_id IS NULL
            AND decided_at < now() - make_interval(secs => $1) ORDER BY position"""  # noqa: S608 - our schema
        return [row["approval_id"] for row in await self._store.pool.fetch(query, GRACE_SECONDS)]


def state_of(approval: Approval, award_id: str | None) -> ApprovalState:
    """An approval as the API says it."""
    decided: Recorded | None = approval.decided
    refused = decided.event if decided is not None else None
    return ApprovalState(
        id=approval.id,
        position=approval.proposed.position,
        status=approval.status,
        proposed_at=format_time(approval.proposed.recorded_at),
        proposed_by=approval.proposer,
        decided_at=format_time(decided.recorded_at) if decided else None,
        decided_by=str(decided.actor["key"]) if decided else None,
        reason_code=refused.reason_code if isinstance(refused, ApprovalRefused) else None,
        award_id=award_id,
    )
