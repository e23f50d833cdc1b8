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

from ledger.proofs.plan import Plan, Unplannable, compiled
from ledger.proofs.problems import ProofError
from ledger.proofs.shapes import shape_of
from ledger.proofs.skeleton import Leaf, Part

PLANS_LIMIT: Final = 1024
STATEMENTS_LIMIT: Final = 150_000  # in all plans together; a tenth of a kilobyte or two each
STATEMENTS_EACH: Final = 600
SEEN_LIMIT: Final = 4096
CHECK_EVERY: Final = 1000


class Count(StrEnum):
    """What is counted beside the gaps (`ledger.proofs.plan.Gap`), which are fallbacks too."""

    FILLED = "filled"
    NOT_PLAIN = "not plain"  # a fallback: numbers, names or types for which there are no plans
    NEW = "new"  # a fallback: a skeleton that has no plan yet
    NO_PLAN = "no plan"  # a fallback: a skeleton that can have none, or whose plan was retired
    COMPILED = "compiled"
    CHECKED = "checked"
    MISMATCH = "mismatch"  # stays 0, or a plan gave other bytes than the general path, which were taken


class _Kept(msgspec.Struct):
    """A skeleton's plan; None where there can be none, and where it was retired."""

    plan: Plan | None
    uses: int = 0


class Plans:
    """A bounded store of plans by skeleton. `counts` tells what happened since it was made."""

    def __init__(self, limit: int = PLANS_LIMIT) -> None:
        self.counts: Counter[str] = Counter()
        self._limit, self._statements = limit, 0
        self._kept: OrderedDict[Part, _Kept] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()

    def canonical(
        self, skeleton: Part, leaves: Sequence[Leaf], general: Callable[[], bytes], *, at_once: bool
    ) -> bytes:
        """The canonical N-Quads of a document, from its plan or from the general path, which may raise ProofError.

        `at_once` compiles a new skeleton at first sight.
        """
        kept = self._kept.get(skeleton)
        if kept is None:
            self.counts[Count.NEW] += 1
            found = general()
            if at_once or self._was_seen(skeleton):
                self._keep(skeleton, _Kept(self._compiled(skeleton, leaves, found)))
            return found
        self._kept.move_to_end(skeleton)
        if kept.plan is None:
            self.counts[Count.NO_PLAN] += 1
            return general()
        filled = kept.plan.filled(leaves)
        if not isinstance(filled, bytes):
            self.counts[filled] += 1
            return general()
        self.counts[Count.FILLED] += 1
        kept.uses += 1
        if kept.uses % CHECK_EVERY == 1 and not self._holds(filled, found := general()):
            kept.plan = None
            return found
        return filled

    def _compiled(self, skeleton: Part, leaves: Sequence[Leaf], found: bytes) -> Plan | None:
        try:
            plan = compiled(skeleton, shape_of(skeleton))
        except (Unplannable, ProofError):
            return None
        if plan.statements > STATEMENTS_EACH:
            return None
        self.counts[Count.COMPILED] += 1
        plan.arrange(leaves)
        filled = plan.filled(leaves)
        return plan if not isinstance(filled, bytes) or self._holds(filled, found) else None

    def _holds(self, filled: bytes, found: bytes) -> bool:
        self.counts[Count.CHECKED] += 1
        if filled != found:
            self.counts[Count.MISMATCH] += 1
        return filled == found

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
        self._statements += kept.plan.statements if kept.plan else 0
        while len(self._kept) > self._limit or self._statements > STATEMENTS_LIMIT:
            _, old = self._kept.popitem(last=False)
            self._statements -= old.plan.statements if old.plan else 0
