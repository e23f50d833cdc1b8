"""How an institution names a learner: an e-mail address, a DID or a student id, in one spelling. Pure."""

import msgspec

from ledger.credentials.identity import normal_identity

KINDS = ("email", "did", "student_id")


class Identifier(msgspec.Struct, frozen=True):
    """One way in which a learner is named; `value` is in its normal spelling (`identifier_of`)."""

    kind: str  # email, did or student_id
    value: str


def identifier_of(kind: str, value: str) -> Identifier:
    """The identifier behind a text: trimmed, NFC, an e-mail in lower case."""
    return Identifier(kind, normal_identity(kind, value))
