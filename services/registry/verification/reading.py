"""What somebody hands in becomes one credential: a document, and the JWT around it where there is one. ● Pure.

Rules. Everything passes the same strict JSON (`ledger.web.json_input`): UTF-8, no member twice, at most 32 levels, no
control or direction characters; at most 256 KiB. A credential inside an envelope or a picture is taken out first.
"""

import base64
import binascii
import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from ledger.credentials.baking import unbake
from ledger.errors import FieldError, LedgerError
from ledger.web.json_input import read_json

DOCUMENT_LIMIT: Final = 256 * 1024
PNG: Final = b"\x89PNG\r\n\x1a\n"

_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_DATA_URI = re.compile(r"data:[a-zA-Z0-9.+/-]*((?:;[^;,]*)*),(.*)", re.DOTALL)
_ENVELOPE = "EnvelopedVerifiableCredential"
_JWT_CLAIMS: Final = frozenset({"iss", "sub", "jti", "nbf", "exp", "iat", "aud", "cnf"})


class Unreadable(Exception):
    """There is no credential in what was handed in; the sentence says why, the pointers where."""

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail, self.errors = detail, errors


class Presented(msgspec.Struct, frozen=True):
    """A credential as it was handed in: the document (proofs included, JWT claims taken off) and, for one that is
    secured by a JWT, the compact JWS and its registered claims."""

    document: dict[str, Any]
    jwt: str | None = None
    claims: dict[str, Any] = {}

    @property
    def unsecured(self) -> dict[str, Any]:
        """The credential without its proofs: what the ledger recorded, if it did."""
        return {name: value for name, value in self.document.items() if name != "proof"}


def from_document(document: Any) -> Presented:
    """A credential as a JSON object, or one in an envelope. Raises Unreadable."""
    try:
        return _of_value(_strict(msgspec.json.encode(document)))
    except (UnicodeEncodeError, RecursionError, TypeError, OverflowError) as error:
        raise Unreadable("The credential holds what JSON cannot carry.") from error


def from_jwt(text: str) -> Presented:
    """A credential secured by a compact JWS (VC-JOSE-COSE §3.1): its payload is the credential. Raises Unreadable."""
    jws = text.strip()
    if len(jws) > DOCUMENT_LIMIT or _JWS.fullmatch(jws) is None:
        raise Unreadable("That is no JWT: three parts of base64url, with dots between, at most 256 KiB.")
    payload = _base64url(jws.split(".")[1])
    value = _strict(payload)
    if not isinstance(value, dict):
        raise Unreadable("The JWT's payload is no JSON object.")
    if "vc" in value or "vp" in value:
        raise Unreadable(
            "The JWT wraps its credential in a `vc` claim; in VC Data Model 2.0 the payload is the credential."
        )
    claims = {name: member for name, member in value.items() if name in _JWT_CLAIMS}
    document = {name: member for name, member in value.items() if name not in _JWT_CLAIMS}
    return Presented(document, jws, claims)


def from_image(text: str) -> Presented:
    """A baked PNG or SVG, as base64 or as a data URI. Raises Unreadable."""
    return from_bytes(_image_bytes(text.strip()))


def from_bytes(content: bytes) -> Presented:
    """Whatever lies at an address: a document, a JWT or a baked picture. Raises Unreadable."""
    if content.startswith(PNG) or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            return _from_text(unbake(content))
        except LedgerError as error:
            raise Unreadable(error.detail) from error
    try:
        return _from_text(content.decode())
    except UnicodeDecodeError as error:
        raise Unreadable("There is neither a credential in JSON, nor a JWT, nor a baked PNG or SVG.") from error


def _from_text(text: str) -> Presented:
    stripped = text.strip()
    if _JWS.fullmatch(stripped):
        return from_jwt(stripped)
    return _of_value(_strict(stripped.encode()))


def _of_value(value: Any) -> Presented:
    if not isinstance(value, dict):
        raise Unreadable("A credential is a JSON object.")
    kinds = value.get("type")
    if _ENVELOPE not in (kinds if isinstance(kinds, list) else [kinds]):
        return Presented(value)
    head, _, jws = str(value.get("id")).partition(",")
    if head != "data:application/vc+jwt":
        where = (FieldError("/id", "must be a data: URL of the type application/vc+jwt"),)
        raise Unreadable("The envelope holds no JWT that this ledger reads.", where)
    return from_jwt(jws)


def _strict(raw: bytes) -> Any:
    if len(raw) > DOCUMENT_LIMIT:
        raise Unreadable("A credential has at most 256 KiB.")
    try:
        return read_json(raw, text_limit=DOCUMENT_LIMIT)
    except LedgerError as error:
        sentence = error.detail.replace("The body", "The credential")
        raise Unreadable(sentence, error.errors) from error


def _image_bytes(text: str) -> bytes:
    found = _DATA_URI.fullmatch(text)
    if found is not None and not found[1].lower().endswith(";base64"):
        return unquote_to_bytes(found[2])
    try:
        return base64.b64decode(found[2] if found else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("The picture is neither base64 nor a data: URL.") from error


def _base64url(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("The JWT's payload is not base64url.") from error
