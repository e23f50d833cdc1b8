"""The plans that are known, and what is watched about them. They are a cache, never truth.

Rules. One of our own skeletons is compiled at once; of the others, which anybody may send, at second sight. A plan is
compared with the general path when it is made, at its first use and then once in a thousand; one that gives other bytes
is retired for good, and counted. What is kept is bounded, by number and by size.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ledger.proofs.plan import Plan, Unplannable, Way, compiled
from ledger.proofs.problems import ProofError
from ledger.proofs.shapes import shape_of
from ledger.proofs.skeleton import Leaf, Part

PLANS_LIMIT: Final = 1024
SIZE_LIMIT_BYTES: Final = 32 * 1024 * 1024  # of skeletons and lines as text; they take some times as much in memory
STATEMENTS_LIMIT: Final = 600
SEEN_LIMIT: Final = 4096
CHECK_EVERY: Final = 1000


class Count(StrEnum):
    """What is counted beside the ways."""

    COMPILED = "compiled"
    CHECKED = "checked"
    MISMATCH = "mismatch"  # stays 0, or a plan gave other bytes than the general path, which were taken


class _Kept(msgspec.Struct):
    """A skeleton's plan, or why it has none."""

    plan: Plan | Way
    size: int = 0
    uses: int = 0


class Plans:
    """A bounded store of plans by skeleton, for one thread. `counts` tells what happened since it was made."""

    def __init__(self, limit: int = PLANS_LIMIT) -> None:
        self.counts: Counter[str] = Counter()
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[Part, _Kept] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._retired: set[int] = set()  # never forgotten; it stays empty

    def canonical(
        self, skeleton: Part, leaves: Sequence[Leaf], general: Callable[[], bytes], *, at_once: bool
    ) -> bytes:
        """The canonical N-Quads of a document, from its plan or from the general path, which may raise ProofError.

        `at_once` compiles a new skeleton at first sight.
        """
        kept = self._kept.get(skeleton)
        if kept is None:
            self.counts[Way.NEW] += 1
            found = general()
            if at_once or self._was_seen(skeleton):
                self._keep(skeleton, _Kept(self._compiled(skeleton, leaves, found), len(repr(skeleton)) + len(found)))
            return found
        self._kept.move_to_end(skeleton)
        filled, way = (None, kept.plan) if isinstance(kept.plan, Way) else kept.plan.filled(leaves)
        self.counts[way] += 1
        if filled is None:
            return general()
        kept.uses += 1
        return self._checked(kept, skeleton, filled, general) if kept.uses % CHECK_EVERY == 1 else filled

    def _checked(self, kept: _Kept, skeleton: Part, filled: bytes, general: Callable[[], bytes]) -> bytes:
        try:
            found = general()
        except ProofError:  # what the general path refuses, a plan must not fill
            self._holds(filled, b"")
            kept.plan = self._retire(skeleton)
            raise
        if not self._holds(filled, found):
            kept.plan = self._retire(skeleton)
        return found

    def _compiled(self, skeleton: Part, leaves: Sequence[Leaf], found: bytes) -> Plan | Way:
        if hash(skeleton) in self._retired:
            return Way.RETIRED
        try:
            plan = compiled(skeleton, shape_of(skeleton))
        except Unplannable as no:
            return no.cause
        except ProofError:  # the tokens were read before; samples of numbers may not be
            return Way.NUMBER
        if plan.statements > STATEMENTS_LIMIT:
            return Way.LARGE
        self.counts[Count.COMPILED] += 1
        plan = plan.arranged(leaves)
        filled, _ = plan.filled(leaves)
        return plan if filled is None or self._holds(filled, found) else self._retire(skeleton)

    def _holds(self, filled: bytes, found: bytes) -> bool:
        self.counts[Count.CHECKED] += 1
        if filled != found:
            self.counts[Count.MISMATCH] += 1
        return filled == found

    def _retire(self, skeleton: Part) -> Way:
        self._retired.add(hash(skeleton))
        return Way.RETIRED

    def _was_seen(self, skeleton: Part) -> bool:
        key = hash(skeleton)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > SEEN_LIMIT:
            self._seen.popitem(last=False)
        return False

    def _keep(self, skeleton: Part, kept: _Kept) -> None:
        self._kept[skeleton] = kept
        self._size += kept.size
        while len(self._kept) > self._limit or self._size > SIZE_LIMIT_BYTES:
            _, old = self._kept.popitem(last=False)
            self._size -= old.size
