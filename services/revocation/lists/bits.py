"""The bits of a list at any position: the fold of its flips up to there."""

from collections import OrderedDict
from typing import Any

from ledger.bitstring import empty, with_bits

CACHED_LISTS = 1000  # 16 KiB each


class Bits:
    """Reads flips over any asyncpg pool or connection, and goes on from the newest fold that it remembers.

    What happened up to a position never changes, so a remembered fold never goes stale.
    """

    def __init__(self) -> None:
        self._folds: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    async def at(self, database: Any, list_id: str, length: int, position: int) -> bytes:
        """The list's bits, `length` / 8 bytes, as of a position that the projection has passed."""
        clear = (0, empty(length))
        after, bits = self._folds.get(list_id, clear)
        if after > position:
            after, bits = clear
        rows = await database.fetch(FLIPS, list_id, after, position)
        last = {row["place"]: row["value"] for row in rows}
        for value in (True, False):
            bits = with_bits(bits, [place for place, final in last.items() if final is value], to=value)
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
