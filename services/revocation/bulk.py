"""Many awards at once: a preview that says what would happen, and a token that lets exactly that happen. Pure.

Rules. A preview records nothing. Its token holds the wish and, for every award, the version of the standing that the
preview saw and what it said; it is signed, bound to its institution and good for an hour. Carrying it out gives each
award a command of its own: what was stopped half-way is completed by sending the same request again, and an award whose
standing has changed since the preview is left alone and called stale.
"""

import base64
import hmac
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from ledger import errors, ids
from ledger.approvals.rules import ApprovalRequired
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from revocation.standings import (
    Authority,
    Change,
    ChangeStanding,
    Effective,
    ReasonCode,
    SealedText,
)

AWARDS_LIMIT = 1000
TOKEN_LIMIT = 131_072  # characters; a thousand awards take about thirty thousand
TOKEN_BYTES = 1_048_576  # of what is inside, inflated
TOKEN_SECONDS = 3600
MAC_BYTES = 32
AwardId = Annotated[str, msgspec.Meta(pattern=r"^awd_[a-z2-7]{26}$")]
Outlook = Literal["change", "nothing", "refused", "unknown"]


class PreviewChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same change for up to a thousand awards."""

    award_ids: Annotated[list[AwardId], msgspec.Meta(min_length=1, max_length=AWARDS_LIMIT)]
    change: Change
    reason_code: ReasonCode
    reason: SealedText | None = None
    authority: Authority | None = None
    effective: Effective | None = None


class MakeChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token of the preview that is to be carried out."""

    preview_token: Annotated[str, msgspec.Meta(min_length=1, max_length=TOKEN_LIMIT)]


class Foreseen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the preview said of one award: the version of its standing then, what the change would do, and why not."""

    award_id: str
    version: int
    outlook: Outlook
    detail: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a token holds. `at` is when the preview was made and, where none was wished, since when the change holds."""

    tenant: str
    change: Change
    wish: ChangeStanding
    at: str
    awards: list[Foreseen]


def preview_of(wish: PreviewChanges, foreseen: Sequence[Foreseen], *, tenant: str, at: datetime) -> Preview:
    """The preview that a token is made of."""
    change = ChangeStanding(
        reason_code=wish.reason_code, reason=wish.reason, authority=wish.authority, effective=wish.effective or at
    )
    return Preview(tenant=tenant, change=wish.change, wish=change, at=format_time(at), awards=list(foreseen))


def check(wish: PreviewChanges) -> None:
    """Each award once. Raises Malformed with a pointer to every repetition."""
    seen: set[str] = set()
    bad = []
    for index, award_id in enumerate(wish.award_ids):
        if award_id in seen:
            bad.append(FieldError(f"/award_ids/{index}", "named twice"))
        seen.add(award_id)
    if bad:
        raise errors.Malformed("Each award can be named once.", errors=bad)


Rule = Callable[..., list[Fact]]


def foresee(
    award_id: str,
    rule: Rule,
    history: Sequence[Recorded],
    *read: Sequence[Recorded],
) -> Foreseen:
    """What the rule itself, the one that will decide, would do now; `read` are the histories that it reads besides."""
    outlook: Outlook = "nothing"
    detail = None
    try:
        if rule(history, *read):
            outlook = "change"
    except errors.NotFound as error:
        return Foreseen(award_id, 0, "unknown", error.detail)
    except ApprovalRequired as error:  # then carrying it out proposes it
        return Foreseen(award_id, len(history), "change", error.detail)
    except errors.Refused as error:
        said = [f"{where.pointer.lstrip('/')}: {where.detail}" for where in error.errors]
        outlook, detail = "refused", " ".join([error.detail, *said])
    return Foreseen(award_id, len(history), outlook, detail)


def stands(foreseen: Foreseen, history: Sequence[Recorded], position: int | None = None) -> bool:
    """Whether the standing is still, or was at a position, the one that the preview saw. What was refused or is
    unknown needs nothing to stand, since nothing is done."""
    if foreseen.outlook not in ("change", "nothing"):
        return True
    seen = [recorded for recorded in history if position is None or recorded.position <= position]
    return len(seen) == foreseen.version


def sign(secret: bytes, preview: Preview) -> str:
    """The token of a preview: base64url of MAC ‖ zlib(JSON)."""
    packed = zlib.compress(msgspec.json.encode(preview), 6)
    return base64.urlsafe_b64encode(_mac(secret, packed) + packed).decode().rstrip("=")


def read(secret: bytes, token: str, *, tenant: str, at: datetime | None) -> Preview:
    """The preview behind a token of this institution. Raises Malformed, or Stale when it is more than an hour old at
    `at`; what was begun in time may be completed later (None)."""
    where = [FieldError("/preview_token", "take the token of a preview that you made")]
    refused = errors.Malformed("This is not a preview of yours.", errors=where)
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise refused from error
    mac, packed = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, packed)):
        raise refused
    preview = msgspec.json.decode(zlib.decompressobj().decompress(packed, TOKEN_BYTES), type=Preview)
    if preview.tenant != tenant:
        raise refused
    if at is not None and at - parse_time(preview.at) > timedelta(seconds=TOKEN_SECONDS):
        raise errors.Stale("The preview is more than an hour old; make a new one.")
    return preview


def _mac(secret: bytes, packed: bytes) -> bytes:
    return ids.keyed(secret, "credledger/standings-preview/v1", packed)
