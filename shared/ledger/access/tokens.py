"""The text of an API key: `cl_<test|live>_<key id without prefix>_<43 characters of base64url>`.

`test` is what keys of sandboxes say, for the eyes of people and scanners; what a key opens follows from its tenant.
The secret is 32 random bytes, so a keyed hash under the pepper is enough to store. The id in the text finds the key;
only the secret proves it. Pure: no clock, no randomness.
"""

import base64
import re

import msgspec

from ledger import ids
from ledger.errors import Unauthenticated

SECRET_BYTES = 32
_TOKEN = re.compile(r"cl_(test|live)_([a-z2-7]{26})_([A-Za-z0-9_-]{43})")


class Token(msgspec.Struct, frozen=True):
    """What a token says: the id of its key (`key_…`), the 32 secret bytes, and whether it calls itself live."""

    key_id: str
    secret: bytes
    live: bool

    def __repr__(self) -> str:
        # A secret must not reach a log or a traceback by being printed.
        return f"Token({self.key_id!r})"


def key_suffix(key_id: str) -> str:
    """`key_<26>` without its prefix. Raises ValueError where it is no key id."""
    prefix, _, suffix = key_id.partition("_")
    if prefix != "key" or not re.fullmatch(r"[a-z2-7]{26}", suffix):
        raise ValueError("not a key id")
    return suffix


def new_token(key_id: str, secret: bytes, *, live: bool) -> str:
    """The text that the holder is shown once. `secret` is 32 random bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("an API key has 32 secret bytes")
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    return f"cl_{'live' if live else 'test'}_{key_suffix(key_id)}_{text}"


def parse_token(text: str) -> Token:
    """The parts of a token. Raises Unauthenticated, with a sentence that does not repeat the text."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise Unauthenticated("This is not an API key of this ledger.")
    mode, suffix, encoded = match.groups()
    secret = base64.urlsafe_b64decode(encoded + "=")
    if base64.urlsafe_b64encode(secret).decode().rstrip("=") != encoded:
        # The last character has spare bits: two texts for one secret would be two names of one key.
        raise Unauthenticated("This is not an API key of this ledger.")
    return Token(f"key_{suffix}", secret, mode == "live")


def secret_hash(pepper: bytes, secret: bytes) -> str:
    """How a secret is remembered in `access.key_created`: HMAC-SHA256 under the pepper, 64 hex digits."""
    return ids.keyed(pepper, "credledger/api-key/v1", secret).hex()
