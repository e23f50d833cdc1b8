"""What issuance brings to `credledger`: its projections, for `credledger rebuild`."""

from collections.abc import Sequence

from issuance.notices.outbox import Outbox
from issuance.projections import OwnEvents
from ledger.access import AccessProjection
from ledger.approvals import ApprovalProjection
from ledger.projector import Projection
from ledger.store import Store


async def projections(_: Store) -> Sequence[Projection]:
    """The projections of the schema `issuance`."""
    return OwnEvents(), Outbox(), AccessProjection("issuance"), ApprovalProjection("issuance", "award")
