"""Lines of N-Quads with holes, filled at the price of one join."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

Line = tuple[bytes | int, ...]
"""A line without its LF: fixed bytes, and the numbers of the values that stand between."""


class Lines:
    """Some lines, one at least, to be filled again and again. Values hold no LF."""

    def __init__(self, lines: Iterable[Line]) -> None:
        texts: list[bytes] = [b""]
        holes: list[int] = []
        for line in lines:
            for part in (*line, b"\n"):
                if isinstance(part, bytes):
                    texts[-1] += part
                else:
                    holes.append(part)
                    texts.append(b"")
        texts[-1] = texts[-1][:-1]
        self._parts = [part for text in texts for part in (text, b"")][:-1]
        # One name alone would be given as itself, not as a tuple.
        names = holes if len(holes) > 1 else [slice(hole, hole + 1) for hole in holes] or [slice(0)]
        self._chosen = itemgetter(*names)

    def filled(self, values: Sequence[bytes]) -> list[bytes]:
        """The lines without their LF, in the order in which they were given."""
        parts = self._parts.copy()
        parts[1::2] = self._chosen(values)
        return b"".join(parts).split(b"\n")
