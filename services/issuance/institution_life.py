"""What becomes of an institution: suspended, reinstated, renamed, moved, merged, closed. Pure rules over its stream.

Rules. The operator decides, and says on whose authority. A suspended institution reads and does not write, until it is
reinstated. A closed one stays closed: its awards stay verifiable under its own keys, and revoking them passes to the
successor that is named, which must not be closed itself, so that whoever follows the successors comes to an end. A
move changes the DID of what is issued from then on, and only to one whose document lists the institution's own keys.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from issuance.institutions import Institution, Name, ReasonCode, active_institution, existing
from ledger import errors, ids
from ledger.codec import Fact, Recorded
from ledger.dids import Method, assertion_keys, did_document, did_web_url
from ledger.errors import FieldError
from ledger.events import (
    InstitutionClosed,
    InstitutionMerged,
    InstitutionMoved,
    InstitutionPolicySet,
    InstitutionReinstated,
    InstitutionRenamed,
    InstitutionSuspended,
)
from ledger.proofs import ProofError

Authority = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        description="The body or rule that decided, never a person: everybody can read it.",
    ),
]
InstitutionId = Annotated[str, msgspec.Meta(pattern=r"^inst_[a-z2-7]{26}$")]
NewDid = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^did:web:[A-Za-z0-9._%:-]+$", max_length=300, description="A did:web at a host of the institution's."
    ),
]


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why, as a code, and on whose authority."""

    reason_code: ReasonCode
    authority: Authority


class CloseInstitution(Turn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The end of an institution. `successor` decides about the standing of its awards from then on; where it was not
    named at the closing, it can be named later, once."""

    successor: InstitutionId | None = None


class MergeInstitution(Turn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Into which institution this one goes."""

    into: InstitutionId


class RenameInstitution(Turn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the institution is called from now on."""

    name: Name


class MoveInstitution(Turn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The DID that the institution issues under from now on. Its document must be in place."""

    did: NewDid


class SetPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What needs the approval of a second key."""

    four_eyes: Annotated[list[Literal["awards", "revocations"]], msgspec.Meta(max_length=2)]


def suspend(wish: Turn, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The institution may no longer write; nothing when it already is suspended. Raises NotFound, or Refused."""
    if _open(history).state == "suspended":
        return []
    return [Fact(event=InstitutionSuspended(**_why(wish)), at=at)]


def reinstate(wish: Turn, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The institution may write again; nothing when it already may. Raises NotFound, or Refused."""
    if _open(history).state == "active":
        return []
    return [Fact(event=InstitutionReinstated(**_why(wish)), at=at)]


def close(
    wish: CloseInstitution, history: Sequence[Recorded], successor: Sequence[Recorded] = (), *, at: datetime
) -> list[Fact]:
    """The institution's end, or the successor that was still missing; nothing when that is how it is.

    `successor` is the history of the institution that is named. Raises NotFound, or Refused.
    """
    institution = existing(history)
    if institution.state == "closed" and wish.successor in (None, institution.successor):
        return []
    if institution.successor is not None:
        raise errors.Refused(f"This institution is closed and its successor is {institution.successor}, for good.")
    if wish.successor is not None:
        _check_successor(institution, wish.successor, successor, "/successor")
    return [Fact(event=InstitutionClosed(**_why(wish), successor=wish.successor), at=at)]


def merge(wish: MergeInstitution, history: Sequence[Recorded], into: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The institution goes into another one; nothing when it did. Raises NotFound, or Refused."""
    institution = existing(history)
    if institution.state == "closed" and institution.successor == wish.into:
        return []
    _open(history)
    _check_successor(institution, wish.into, into, "/into")
    return [Fact(event=InstitutionMerged(**_why(wish), into=wish.into), at=at)]


def rename(wish: RenameInstitution, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The institution's new name; nothing when it is called so. Raises NotFound, or Refused."""
    institution = _open(history)
    if institution.name == wish.name:
        return []
    return [Fact(event=InstitutionRenamed(**_why(wish), name=wish.name, previous_name=institution.name), at=at)]


def move(
    wish: MoveInstitution, history: Sequence[Recorded], *, document: Mapping[str, Any], own_host: str, at: datetime
) -> list[Fact]:
    """The institution issues under another DID from now on; nothing when it already does.

    `document` is what lies at the new DID's address now, `own_host` the host (and port) of this registry. Raises
    NotFound, or Refused where the document does not list just this institution's keys.
    """
    institution = _open(history)
    if institution.did == wish.did:
        return []
    check_did(wish.did, own_host=own_host, institution=institution)
    if fault := _fault_of(document, wish.did, institution):
        where = [FieldError("/did", fault)]
        raise errors.Refused("The new DID's document does not show that it is this institution's.", errors=where)
    return [Fact(event=InstitutionMoved(**_why(wish), did=wish.did, previous_did=institution.did), at=at)]


def set_policy(wish: SetPolicy, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """What takes a second key's approval from now on; nothing when it is so. Raises NotFound, or Refused."""
    four_eyes: list[str] = sorted(set(wish.four_eyes))
    if list(active_institution(history).four_eyes) == four_eyes:
        return []
    return [Fact(event=InstitutionPolicySet(four_eyes=four_eyes), at=at)]


def check_did(did: str, *, own_host: str, institution: Institution) -> None:
    """A DID can be moved to when it is a did:web of a host of its own, or one that this institution had before.

    Raises Refused.
    """
    fault = None
    try:
        if urlsplit(did_web_url(did)).netloc.lower() == own_host.lower() and did not in institution.former_dids:
            fault = "this is an address of this registry; take a host of the institution's own"
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        raise errors.Refused("The institution cannot move to this DID.", errors=[FieldError("/did", fault)])


def document_for(institution: Institution, did: str) -> dict[str, Any]:
    """The DID document to be placed at a DID's address: every key that the institution ever had, and its other DIDs."""
    methods = [Method(key.id, key.public_key, key.retired, key.compromised) for key in institution.keys]
    others = [known for known in (institution.did, *institution.former_dids) if known != did]
    return did_document(did, methods, also_known_as=[institution.url, *others])


def _why(wish: Turn) -> dict[str, str]:
    return {"reason_code": wish.reason_code, "authority": wish.authority}


def _open(history: Sequence[Recorded]) -> Institution:
    """The institution, if it was not closed. Raises NotFound, or Refused."""
    institution = existing(history)
    if institution.state == "closed":
        raise errors.Refused("This institution is closed, and that is final.")
    return institution


def _check_successor(institution: Institution, wanted: str, history: Sequence[Recorded], pointer: str) -> None:
    fault = None
    if wanted == institution.id:
        fault = "an institution does not follow itself"
    elif ids.is_sandbox(institution.id):
        fault = "a sandbox has no successor"
    elif not history:
        fault = "there is no such institution"
    elif existing(history).state == "closed":
        fault = "this institution is closed itself"
    if fault is not None:
        raise errors.Refused("The successor cannot be this one.", errors=[FieldError(pointer, fault)])


def _fault_of(document: Mapping[str, Any], did: str, institution: Institution) -> str | None:
    """What keeps a document from proving that the DID is the institution's; None where it does."""
    if document.get("id") != did:
        return "the document at its address is that of another DID"
    try:
        listed = assertion_keys(document)
    except ProofError as error:
        return f"its document cannot be read: {error.detail}"
    known = {f"{did}#{key.id}": key.public_key for key in institution.keys}
    wanted = {f"{did}#{key.id}": key.public_key for key in institution.keys if key.is_active}
    if any(listed.get(method) != key for method, key in wanted.items()):
        return "its document does not list the institution's current keys under their ids"
    if any(known.get(method) != key for method, key in listed.items()):
        return "its document lists a key that is not the institution's"
    return None
