"""The check of what became of a credential since: revoked, suspended, or neither (Bitstring Status List 1.0).

Rules. A declared status that cannot be judged has failed: the list is unreachable, unsigned, of another purpose, too
short, or of a kind that is not read here. That is honest, since a withdrawn credential looks just like that when its
issuer is silenced, and the sentence says that it could not be judged. The bits of `revocation` and `suspension` count;
other purposes (`refresh`, `message`) say nothing about validity. Lists of this ledger are asked for inside, and what
the log says of the award counts beside them: so a suspension shows although Open Badges has room for one entry, and
revocation need not be up. A document that a correction replaced has failed too, and is told what replaced it: the award
itself may be as good as ever.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from ledger import bitstring
from ledger.errors import NotFound
from ledger.proofs.problems import ProofError
from registry.verification.addresses import Addresses
from registry.verification.content import day
from registry.verification.knowledge import Knowledge, RecordedAward, Renewal, Standing
from registry.verification.verdict import Check, failed, passed, skipped

JUDGED: Final = {"revocation": "revoked", "suspension": "suspended"}
ENTRY_TYPE: Final = "BitstringStatusListEntry"
ENTRIES_LIMIT: Final = 8
RETRIEVAL: Final = "STATUS_RETRIEVAL_ERROR"
VERIFICATION: Final = "STATUS_VERIFICATION_ERROR"
MALFORMED: Final = "MALFORMED_VALUE_ERROR"
SUPERSEDED: Final = "SUPERSEDED"

# The verified list credential behind a foreign URL. Raises StatusFault.
FetchList = Callable[[str], Awaitable[dict[str, Any]]]


class StatusFault(Exception):
    """A status that says no, or that cannot be judged: a sentence and, for the latter, the standard's code."""

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.code = detail, code


class Entry(msgspec.Struct, frozen=True):
    """One BitstringStatusListEntry that says whether the credential counts."""

    purpose: str
    index: int
    list_url: str
    size: int


async def status_check(
    document: dict[str, Any], award: RecordedAward | None, knowledge: Knowledge, addresses: Addresses, fetch: FetchList
) -> Check:
    """Whether the credential was withdrawn or suspended."""
    standing = await knowledge.standing(award.award_id) if award is not None else None
    try:
        if award is not None and standing is not None:
            _check_replaced(award, standing)
            _check_standing(standing)
        entries, told = entries_of(document.get("credentialStatus")), ""
        for entry in entries:
            told = await _check_entry(entry, standing, knowledge, addresses, fetch) or told
    except StatusFault as fault:
        return failed("status", fault.detail, code=fault.code)
    if standing is not None:
        renewed = _renewed(standing.renewal)
        return passed("status", f"This ledger holds it as neither revoked nor suspended{told}.{renewed}")
    if not entries:
        return skipped("status", "It declares no status by which it could be withdrawn.")
    return passed("status", "It is neither revoked nor suspended: its bit in the issuer's status list is clear.")


def entries_of(value: Any) -> list[Entry]:
    """The entries that bear on validity, read strictly. Raises StatusFault."""
    members = value if isinstance(value, list) else [] if value is None else [value]
    if len(members) > ENTRIES_LIMIT:
        raise StatusFault(f"It declares more than {ENTRIES_LIMIT} status entries.", MALFORMED)
    found = [_entry(member) for member in members]
    return [entry for entry in found if entry.purpose in JUDGED]


def _entry(member: Any) -> Entry:
    if not isinstance(member, dict):
        raise StatusFault("Its status entry is no object.", MALFORMED)
    kinds = member.get("type")
    if ENTRY_TYPE not in (kinds if isinstance(kinds, list) else [kinds]):
        raise StatusFault(f"Its status is published as {_short(kinds)}, which is not read here.", VERIFICATION)
    purpose, index, url = (member.get(name) for name in ("statusPurpose", "statusListIndex", "statusListCredential"))
    size = member.get("statusSize", 1)
    if not isinstance(purpose, str) or not isinstance(url, str):
        raise StatusFault("Its status entry names no purpose or no list.", MALFORMED)
    if not isinstance(index, str) or not (index.isascii() and index.isdecimal()) or len(index) > 12:
        raise StatusFault("The index in its status entry is no decimal number.", MALFORMED)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= 32:
        raise StatusFault("The size in its status entry is no number of bits.", MALFORMED)
    return Entry(purpose, int(index), url, size)


def _check_replaced(award: RecordedAward, standing: Standing) -> None:
    """A document is replaced by the first correction behind it; those behind that one replaced others."""
    by = next((one for one in standing.corrections if one.position > award.position), None)
    if by is not None:
        itself = "valid" if standing.state == "good" else f"{standing.state}{_since(standing)}"
        raise StatusFault(
            f"It was replaced by a corrected credential on {day(by.recorded_at)} (position {by.position}, reason"
            f" {by.reason_code}); the award itself is {itself}. Ask its holder or issuer for the corrected one.",
            SUPERSEDED,
        )


def _check_standing(standing: Standing) -> None:
    if standing.state != "good":
        raise StatusFault(f"It was {standing.state} by its issuer{_since(standing)}.")


def _since(standing: Standing) -> str:
    since = f" since {day(standing.effective)}" if standing.effective else ""
    where = f" (position {standing.position})" if standing.position is not None else ""
    return f"{since}, says this ledger{where}"


def _renewed(renewal: Renewal | None) -> str:
    if renewal is None:
        return ""
    return f" It was renewed by {renewal.award_id} on {day(renewal.recorded_at)} (position {renewal.position})."


async def _check_entry(
    entry: Entry, standing: Standing | None, knowledge: Knowledge, addresses: Addresses, fetch: FetchList
) -> str:
    """Raises StatusFault where the bit is set or cannot be read; else what is to be said beside."""
    if not addresses.is_own_url(entry.list_url):
        _check_bit(entry, await fetch(entry.list_url))
        return ""
    list_id = addresses.list_id(entry.list_url)
    try:
        own = await knowledge.own_status_list(list_id) if list_id is not None else None
    except NotFound as error:
        raise StatusFault("This ledger has no such status list.", RETRIEVAL) from error
    if list_id is None:
        raise StatusFault("This ledger has no such status list.", RETRIEVAL)
    if own is not None:
        _check_bit(entry, own)
        return ""
    if standing is None:
        raise StatusFault("Its status could not be judged: the list cannot be had at the moment. Try again.", RETRIEVAL)
    return " (the signed list cannot be had at the moment; the log alone was asked)"


def _check_bit(entry: Entry, credential: dict[str, Any]) -> None:
    try:
        value = bitstring.entry_value(credential, entry.purpose, entry.index, entry.size)
    except ProofError as error:
        raise StatusFault(error.detail, error.problem) from error
    if value:
        raise StatusFault(f"It was {JUDGED[entry.purpose]} by its issuer: its bit in the status list is set.")


def _short(kinds: Any) -> str:
    return kinds[:100] if isinstance(kinds, str) else "an unnamed kind"
