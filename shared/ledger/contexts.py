"""The JSON-LD contexts that credentials name, pinned byte by byte. ● Nothing is ever fetched.

Rules. A context is package data of an installed library (openbadgeslib, pyld), read as a file and never through that
library's code. Its SHA-256 stands here: other bytes raise ContextChanged, since every signature depends on them. An
address that is not listed raises UnknownContext. We write the ones of AWARD, LIST and DID alone; the others are for
reading what others issued. Two have only an `@vocab` and are short enough to be defined here.
"""

import functools
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

V2: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
CLR: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"
MULTIKEY: Final = "https://w3id.org/security/multikey/v1"
DID_V1: Final = "https://www.w3.org/ns/did/v1"
V1: Final = "https://www.w3.org/2018/credentials/v1"

AWARD: Final = (V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)
LIST: Final = (V2,)  # credentials/v2 holds the Bitstring Status List terms
DID: Final = (DID_V1, MULTIKEY)

_OURS: Final = ("openbadgeslib", "ob3/contexts")
_OLDER: Final = ("pyld", "documentloader/frozen/bundled")

# url: (package, folder), file, SHA-256 of its bytes
_PINNED: Final[dict[str, tuple[tuple[str, str], str, str]]] = {
    V2: (_OURS, "credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES: (
        _OURS,
        "ob-v3p0-context-3.0.3.json",
        "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
    ),
    OPEN_BADGES_EXTENSIONS: (
        _OURS,
        "ob-v3p0-extensions.json",
        "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93",
    ),
    CLR: (_OURS, "clr_context_2.0.1.json", "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6"),
    DATA_INTEGRITY: (
        _OURS,
        "security-data-integrity-v2.json",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    MULTIKEY: (
        _OURS,
        "security-multikey-v1.json",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
    # The unversioned address serves what is current, 3.0.3.
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json": (
        _OURS,
        "ob-v3p0-context-3.0.3.json",
        "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
        _OURS,
        "ob-v3p0-context-3.0.2.json",
        "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
        _OURS,
        "ob-v3p0-context-3.0.1.json",
        "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571",
    ),
    DID_V1: (_OLDER, "did-v1.jsonld", "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f"),
    V1: (_OLDER, "credentials-v1.jsonld", "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8"),
    "https://w3id.org/security/v1": (
        _OLDER,
        "security-v1.jsonld",
        "e2d146cd556f6fa5f14996c6f1749667d5a14073fa30f0643990068e2c0b1bac",
    ),
    "https://w3id.org/security/v2": (
        _OLDER,
        "security-v2.jsonld",
        "4cb186bc29c08af6e40c58178c22dd84d542f2871a063afed6e648b47abc3cf6",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        _OLDER,
        "security-ed25519-2020-v1.jsonld",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/suites/jws-2020/v1": (
        _OLDER,
        "security-jws-2020-v1.jsonld",
        "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
    ),
}

_INLINE: Final[dict[str, dict[str, Any]]] = {
    "https://www.w3.org/ns/credentials/examples/v2": {
        "@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
    },
    "https://www.w3.org/ns/credentials/undefined-terms/v2": {
        "@context": {"@vocab": "https://www.w3.org/ns/credentials/undefined-term#"}
    },
}

KNOWN: Final = frozenset(_PINNED) | frozenset(_INLINE)


class UnknownContext(LookupError):
    """A document names a context that this ledger does not hold; `url` is its address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"the context {url} is not one that this ledger knows")
        self.url = url


class ContextChanged(RuntimeError):
    """An installed context has other bytes than the ones that signatures were made with."""


@functools.cache
def content(url: str) -> bytes:
    """The exact bytes behind a pinned address, as `relatedResource` digests need them.

    Raises UnknownContext, or ContextChanged when the installed file is another one.
    """
    if url in _INLINE:
        return json.dumps(_INLINE[url], separators=(",", ":")).encode()
    if url not in _PINNED:
        raise UnknownContext(url)
    (package, folder), name, pin = _PINNED[url]
    # find_spec finds the folder of a package without running its code, which `importlib.resources.files` would.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ContextChanged(f"the package {package}, which holds the context {url}, is not installed")
    return matching(Path(spec.submodule_search_locations[0], folder, name).read_bytes(), pin, url)


def matching(raw: bytes, pin: str, url: str) -> bytes:
    """`raw`, if its SHA-256 in hex is `pin`. Raises ContextChanged."""
    found = hashlib.sha256(raw).hexdigest()
    if found != pin:
        raise ContextChanged(f"the installed context {url} has the digest {found}, not {pin}")
    return raw


def context(url: str) -> dict[str, Any]:
    """The JSON-LD document at a pinned address, a fresh copy: an object with `@context`. Raises UnknownContext."""
    document: dict[str, Any] = json.loads(content(url))
    return document


def digest(url: str) -> str:
    """SHA-256 of the context's bytes, in hex. Raises UnknownContext."""
    return hashlib.sha256(content(url)).hexdigest()


def check() -> None:
    """Read every pinned context once, so that a changed one stops the start. Raises ContextChanged."""
    for url in KNOWN:
        content(url)
