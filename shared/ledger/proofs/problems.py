"""Why a document cannot be signed, or is not verified: ProofError.

The codes are those of VC Data Integrity 1.0 (§ Processing Errors) and VC Data Model 2.0 (§ Problem Details). A proof
that this ledger cannot judge (a suite or key that it does not know, a document that takes too long) raises
CannotSay instead: that is neither *verified* nor *wrong*.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from ledger.errors import FieldError, LedgerError

PARSING: Final = "PARSING_ERROR"
GENERATION: Final = "PROOF_GENERATION_ERROR"
VERIFICATION: Final = "PROOF_VERIFICATION_ERROR"
TRANSFORMATION: Final = "PROOF_TRANSFORMATION_ERROR"
DATA_LOSS: Final = "DATA_LOSS_DETECTION_ERROR"
CRYPTOGRAPHIC: Final = "CRYPTOGRAPHIC_SECURITY_ERROR"
MALFORMED: Final = "MALFORMED_VALUE_ERROR"
RANGE: Final = "RANGE_ERROR"
# Ours, since no code of the standards says "cannot say":
UNKNOWN: Final = "UNKNOWN_SUITE_OR_KEY"
UNKNOWN_CONTEXT: Final = "UNKNOWN_CONTEXT"
TOO_SLOW: Final = "CANONICALISATION_DEADLINE"

TYPE_PREFIX: Final = "https://www.w3.org/TR/vc-data-model#"


def pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of members and indices."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class ProofError(LedgerError):
    """A document or proof that does not hold. `problem` is the standard's code, `pointer` where in the document.

    `detail` is one sentence and quotes no values of the document but addresses of contexts and names of members.
    """

    status, code, title = 422, "proof", "The document or its proof does not hold"
    says_wrong: ClassVar[bool] = True

    def __init__(self, problem: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail, errors=() if pointer is None else (FieldError(pointer, detail),))
        self.problem, self.pointer = problem, pointer


class CannotSay(ProofError):
    """Nothing is known to be wrong, and nothing verified: the sentence says because of what."""

    title = "This ledger cannot judge the proof"
    says_wrong = False

    def __init__(self, detail: str, pointer: str | None = None, problem: str = UNKNOWN) -> None:
        super().__init__(problem, detail, pointer)
