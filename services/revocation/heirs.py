"""Who may decide about an award: the institution that made it, or whoever its successors lead to."""

from ledger import errors
from ledger.store import Store
from revocation.issuers import FOLLOWED, issuer_of


async def chain_to(store: Store, award_id: str, tenant: str) -> tuple[str, ...]:
    """The institutions from the award's own to `tenant`, each closed and followed by the next.

    Raises NotFound, in the same words, for an award that is not there and one that `tenant` has nothing to do with.
    The rule judges the chain again, on guarded histories.
    """
    history = await store.load_cached(f"award/{award_id}")
    if not history:
        raise errors.NotFound("There is no such award.")
    chain = [history[0].tenant]
    while chain[-1] != tenant:
        issuer = issuer_of(await store.load_cached(f"institution/{chain[-1]}", fresh=True))
        if issuer is None or issuer.successor is None or len(chain) == FOLLOWED:
            raise errors.NotFound("There is no such award.")
        chain.append(issuer.successor)
    return tuple(chain)


def streams_of(award_id: str, chain: tuple[str, ...]) -> tuple[str, ...]:
    """What is read, and guarded, to decide about an award."""
    return (f"award/{award_id}", *(f"institution/{institution}" for institution in chain))
