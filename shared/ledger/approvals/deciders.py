"""Whether a key is the proposer's: the same one, or one that it was rotated from or to."""

from ledger.events import KeyCreated
from ledger.store import Store

FOLLOWED = 64  # rotations


async def family_of(store: Store, key_id: str) -> frozenset[str]:
    """The key and every key that it was rotated from, one after the other."""
    found: set[str] = set()
    name: str | None = key_id
    while name is not None and name not in found and len(found) < FOLLOWED:
        found.add(name)
        history = await store.load_cached(f"access/{name}")
        event = history[0].event if history else None
        name = event.replaces if isinstance(event, KeyCreated) else None
    return frozenset(found)


async def same_decider(store: Store, proposer: str, decider: str) -> bool:
    """Whether two keys are one, or come from one by rotation."""
    return bool(await family_of(store, proposer) & await family_of(store, decider))
