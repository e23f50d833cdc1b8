"""The bits of a list at any position: the fold of its flips up to there."""

from collections import OrderedDict
from typing import Any

from revocation.lists.documents import bits_after

CACHED_LISTS = 1000  # 16 KiB each


class Bits:
    """Reads flips over any asyncpg pool or connection, and goes on from the newest fold that it remembers.

    What happened up to a position never changes, so a remembered fold never goes stale.
    """

    def __init__(self) -> None:
        self._folds: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    async def at(self, database: Any, list_id: str, length: int, position: int) -> bytes:
        """The list's bits, `length` / 8 bytes, as of a position that the projection has passed."""
        clear = (0, bytes(length // 8))
        after, bits = self._folds.get(list_id, clear)
        if after > position:
            after, bits = clear
        rows = await database.fetch(FLIPS, list_id, after, position)
        if rows:
            bits = bits_after(bits, [(row["place"], row["value"]) for row in rows])
        if position >= self._folds.get(list_id, clear)[0]:
            self._folds[list_id] = (position, bits)
            self._folds.move_to_end(list_id)
            if len(self._folds) > CACHED_LISTS:
                self._folds.popitem(last=False)
        return bits


FLIPS = """
SELECT place, value FROM revocation.flips WHERE list_id = $1 AND position > $2 AND position <= $3
ORDER BY position, place
"""
