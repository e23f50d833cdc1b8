"""Who a credential was awarded to: identity objects (Open Badges 3.0 §B.1), and whether a given person is meant.

Rules. A hash is `sha256$` and the hex SHA-256 of identity ‖ salt, never MD5. E-mail addresses are trimmed and
lower-cased before they are written or hashed; a student id is trimmed and normalised (NFC), its case kept. A DID is the
subject's `id` itself. A name is compared by Unicode case folding after NFC, with runs of white space as one space.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

IdentityKind = Literal["email", "did", "student_id"]
RecipientKind = Literal["email", "did", "student_id", "name"]

# A student id is what the institution's student information system calls the person.
_WRITTEN: Final = {"email": "emailAddress", "student_id": "sisSourcedId"}
_NOT_STUDENT_IDS: Final = frozenset({"emailAddress", "name", "isbn", "issn", "productId"})


class Identity(msgspec.Struct, frozen=True):
    """How the institution knows the learner. `salt` is text, and needed where `hashed`; a DID is never hashed."""

    kind: IdentityKind
    value: str
    salt: str = ""
    hashed: bool = True


def normal_identity(kind: str, value: str) -> str:
    """The one spelling of an identity that is written, hashed and compared."""
    value = unicodedata.normalize("NFC", value.strip())
    return value.lower() if kind == "email" else value


def identity_hash(identity: str, salt: str) -> str:
    """`sha256$` and the hex digest of `identity` and `salt`, run together as UTF-8."""
    return "sha256$" + hashlib.sha256((identity + salt).encode()).hexdigest()


def identity_object(identity: Identity) -> dict[str, Any] | None:
    """The IdentityObject of an e-mail address or a student id; None for a DID, which is the subject's id."""
    if identity.kind == "did":
        return None
    value = normal_identity(identity.kind, identity.value)
    entry = {"type": "IdentityObject", "hashed": identity.hashed}
    if not identity.hashed:
        return {**entry, "identityHash": value, "identityType": _WRITTEN[identity.kind]}
    return {
        **entry,
        "identityHash": identity_hash(value, identity.salt),
        "identityType": _WRITTEN[identity.kind],
        "salt": identity.salt,
    }


def name_object(name: str) -> dict[str, Any]:
    """The IdentityObject that shows the learner's name, in plain text."""
    return {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}


def identity_matches(document: Mapping[str, Any], kind: RecipientKind, value: str) -> bool:
    """Whether the credential was awarded to the person known by `value`; False also where it does not say.

    Foreign issuers may have hashed an address as it was typed: both that and the lower-cased spelling count. Objects
    hashed with anything but SHA-256 match nobody.
    """
    subjects = document.get("credentialSubject")
    found = [one for one in (subjects if isinstance(subjects, list) else [subjects]) if isinstance(one, dict)]
    if kind == "did":
        return any(one.get("id") == value.strip() for one in found)
    return any(_agrees(entry, kind, value) for one in found for entry in _entries(one))


def _entries(subject: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    identifiers = subject.get("identifier")
    for entry in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(entry, dict) and isinstance(entry.get("identityHash"), str):
            yield entry


def _agrees(entry: Mapping[str, Any], kind: str, value: str) -> bool:
    said = str(entry.get("identityType"))
    if not _KINDS[kind](said):
        return False
    spellings = {value, value.strip(), normal_identity(kind, value)}
    written: str = entry["identityHash"]
    if entry.get("hashed") is True:
        salt = entry.get("salt")
        text = salt if isinstance(salt, str) else ""
        return written.lower() in {identity_hash(spelling, text) for spelling in spellings}
    fold = _folded if kind in ("name", "email") else str.strip
    return fold(written) in {fold(spelling) for spelling in spellings}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


_KINDS: Final[dict[str, Callable[[str], bool]]] = {
    "email": lambda said: said == "emailAddress",
    "name": lambda said: said == "name",
    "student_id": lambda said: said not in _NOT_STUDENT_IDS,
}
