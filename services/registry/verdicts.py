"""A verdict as people read it: green, amber or red first, then one plain sentence a check."""

import msgspec

from registry.verification.origin import SANDBOX
from registry.verification.status import SUPERSEDED
from registry.verification.verdict import Check, Verdict

# What is said of a check when it does not fail, and when it does.
LABELS = {
    "structure": ("It reads as a credential", "It does not read as a credential"),
    "contexts": ("Its words are known", "Its words are not all known"),
    "proofs": ("The signature is sound", "The signature does not hold"),
    "key_at_time": ("The key was the issuer's", "The key does not count"),
    "validity": ("Within its dates", "Outside its dates"),
    "status": ("Not revoked, not suspended", "Revoked or suspended"),
    "schema": ("It keeps to Open Badges", "It departs from Open Badges"),
    "recorded": ("Recorded in this ledger", "Not what this ledger recorded"),
    "issuer_recognised": ("The issuer is known here", "Nobody here vouches for the issuer"),
    "recipient": ("Awarded to the person named", "Not awarded to the person named"),
}
UNTOLD = "Whether it was withdrawn cannot be told"
UNSIGNED = "It is not signed"
REPLACED = "Replaced by a corrected credential"
# The five questions of somebody who hires, and the checks that answer each, the telling one first.
TICKS = (
    ("Signature", ("proofs", "structure", "contexts", "schema")),
    ("Issuer", ("issuer_recognised", "key_at_time")),
    ("Not revoked", ("status",)),
    ("Not expired", ("validity",)),
    ("In the log", ("recorded",)),
)
SEVERITY = ("passed", "skipped", "warned", "failed")


class Line(msgspec.Struct, frozen=True):
    """One check on a page. `status` is passed, warned, failed or skipped."""

    name: str
    label: str
    status: str
    detail: str


class Tick(msgspec.Struct, frozen=True):
    """One of the five questions: its answer, and the sentences behind it."""

    label: str
    status: str
    detail: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict for a page: the whole in a colour, a headline and a sentence, the checks, the five ticks."""

    status: str
    headline: str
    sentence: str
    lines: list[Line]
    ticks: list[Tick]
    verdict: Verdict


def shown(verdict: Verdict) -> Shown:
    """The verdict as a page shows it."""
    lines = [_line(check) for check in verdict.checks]
    status, headline, sentence = _whole(verdict, lines)
    return Shown(
        status=status,
        headline=headline,
        sentence=sentence,
        lines=lines,
        ticks=[_tick(label, names, lines) for label, names in TICKS],
        verdict=verdict,
    )


def _whole(verdict: Verdict, lines: list[Line]) -> tuple[str, str, str]:
    if verdict.verified and verdict.issuer_recognised:
        return "passed", "Verified", "Every check passed, and the issuer is an institution of this ledger."
    if verdict.verified and any(check.code == SANDBOX for check in verdict.checks):
        return (
            "warned",
            "TEST: made in a sandbox",
            "The credential is intact, and proves nothing: it was made to try things out.",
        )
    if verdict.verified:
        return (
            "warned",
            "Sound, but nobody here knows the issuer",
            "The credential is intact and properly signed. Whether the signer is who the name says, this ledger"
            " cannot tell.",
        )
    wrong = dict.fromkeys(line.label.partition(" (")[0] for line in lines if line.status == "failed")
    if not wrong:
        return "failed", "Not verified", "Nothing proves where this comes from: no signature could be judged."
    if list(wrong) == [REPLACED]:
        return "failed", "Replaced", "A corrected credential took its place: ask its holder or issuer for that one."
    return "failed", "Do not rely on it", f"{'. '.join(wrong)}."


def _line(check: Check) -> Line:
    # What nobody vouches for is amber: sound as it may be, it is not green.
    status = "warned" if check.name == "issuer_recognised" and check.status == "skipped" else check.status
    label = LABELS[check.name][status in ("failed", "warned")]
    if check.code == SUPERSEDED:
        label = REPLACED
    elif check.name == "status" and check.status == "failed" and check.code:
        label = UNTOLD
    elif check.code == "UNSECURED":
        label = UNSIGNED
    elif check.name == "proofs" and check.cryptosuite:
        label = f"{label} ({check.cryptosuite})"
    return Line(check.name, label, status, check.detail)


def _tick(label: str, names: tuple[str, ...], lines: list[Line]) -> Tick:
    answering = [line for name in names for line in lines if line.name == name]
    judged = [line for line in answering if line.status != "skipped"] or answering
    worst = max(judged, key=lambda line: SEVERITY.index(line.status), default=None)
    if worst is None:
        return Tick(label, "skipped", "Not asked.")
    return Tick(label, worst.status, worst.detail)
