"""What the registry brings to `credledger`: its projections, for `credledger rebuild`."""

from collections.abc import Sequence

from ledger.access import AccessProjection
from ledger.projector import Projection
from ledger.store import Store
from registry.projections import RegistryProjection


async def projections(_: Store) -> Sequence[Projection]:
    """The projections of the schema `registry`."""
    return RegistryProjection(), AccessProjection("registry")
