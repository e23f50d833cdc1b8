"""What a verification answers: named checks, each with one sentence for a person, and the verdict that follows.

● Pure. The rule: a credential is *verified* when at least one proof was judged and no check that bears on validity
failed. A check is skipped only where there is nothing to judge (no status declared, no schema named, nobody asked about
a recipient, a document of another ledger); what should have been judged and could not be, say because a status list is
unreachable, has failed, with a `code` and a sentence that say so. `issuer_recognised` bears on nothing: it is passed or
skipped, never failed, and a skipped one is shown amber beside whatever else is green.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from ledger.errors import FieldError

NAMES: Final = (
    "structure",
    "contexts",
    "proofs",
    "key_at_time",
    "validity",
    "status",
    "schema",
    "recorded",
    "issuer_recognised",
    "recipient",
)
BEARING: Final = frozenset(NAMES) - {"issuer_recognised"}
ERROR_LIMIT: Final = 100  # of one check: a document of nothing but faults must not be answered with a longer one


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check. `code` names the fault as the standards do, `errors` point into the credential; a check of one proof
    says which (counted from 0) and its cryptosuite, or the JWT's algorithm."""

    name: str
    status: Literal["passed", "failed", "skipped"]
    detail: str
    code: str | None = None
    proof: int | None = None
    cryptosuite: str | None = None
    errors: tuple[FieldError, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the credential says of itself, and where this ledger recorded it, if it did. Times are as written there."""

    id: str | None = None
    type: list[str] = []
    name: str | None = None
    issuer: str | None = None
    issuer_name: str | None = None
    achievement: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    award_id: str | None = None
    position: int | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `test` says that this ledger runs in test mode, or that a sandbox signed it: it certifies nothing."""

    verified: bool
    issuer_recognised: bool
    checks: list[Check]
    credential: Summary
    test: bool


def passed(name: str, detail: str, **extra: Any) -> Check:
    return Check(name=name, status="passed", detail=detail, **extra)


def failed(name: str, detail: str, *, errors: Sequence[FieldError] = (), **extra: Any) -> Check:
    return Check(name=name, status="failed", detail=detail, errors=tuple(errors[:ERROR_LIMIT]), **extra)


def skipped(name: str, detail: str, **extra: Any) -> Check:
    return Check(name=name, status="skipped", detail=detail, **extra)


def verdict_of(checks: Sequence[Check], summary: Summary, *, test: bool) -> Verdict:
    """The verdict that follows from the checks, which are put in the order of `NAMES`."""
    ordered = sorted(checks, key=lambda check: (NAMES.index(check.name), check.proof or 0))
    proofs = [check.status for check in ordered if check.name == "proofs"]
    return Verdict(
        verified="passed" in proofs and not any(c.status == "failed" and c.name in BEARING for c in ordered),
        issuer_recognised=any(c.name == "issuer_recognised" and c.status == "passed" for c in ordered),
        checks=ordered,
        credential=summary,
        test=test,
    )


def unread(reason: Check, *, test: bool) -> Verdict:
    """The verdict on what could not be read as a credential at all."""
    rest = [skipped(name, "Not judged: no credential could be read.") for name in NAMES if name != reason.name]
    return verdict_of([reason, *rest], Summary(), test=test)
