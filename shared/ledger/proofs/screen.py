"""The safe mode: what must be refused before a document is signed or judged, each with its JSON pointer.

The RDF libraries drop or invent silently what they do not understand; a signature would then cover less than is read.
Three nets, from coarse to fine: `decode` for text, `screen_json` for any JSON that is canonicalised, `screen_terms` for
JSON-LD. The finest, that every value comes out in a statement, is `ledger.proofs.shapes`.

`own` documents, the ones that we sign, may use less than foreign ones: pinned contexts only, no fractions but credits.
"""

import json
import math
import re
from typing import Any, Final

import msgspec

from ledger.proofs.inline_contexts import screen_context
from ledger.proofs.jcs import EXACT_INTEGER, is_credit, is_plain
from ledger.proofs.problems import MALFORMED, PARSING, RANGE, TRANSFORMATION, CannotSay, ProofError, pointer
from ledger.proofs.terms import NO_TERMS, Terms, terms_of

SIZE_LIMIT_BYTES: Final = 256 * 1024
DEPTH_LIMIT: Final = 32

# C0 but tab, LF and CR, DEL, the two noncharacters that canonical N-Quads escape and others do not, lone surrogates.
_BANNED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
# How banned characters are written in JSON; what has none of these texts holds none.
_ESCAPES: Final = (b"\\u", b"\\b", b"\\f")
_RAW: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_VALUE_KEYS: Final = frozenset({"@value", "@language", "@type", "@direction"})


def decode(text: bytes) -> Any:
    """The JSON value behind UTF-8 text, read strictly: at most 256 KB and 32 levels, no member twice, no NaN, no byte
    order mark, no lone surrogate, no integer beyond ±(2^53 − 1). Raises ProofError."""
    if len(text) > SIZE_LIMIT_BYTES:
        raise CannotSay(f"The text has more than {SIZE_LIMIT_BYTES} bytes.", problem=RANGE)
    try:
        value = json.loads(text.decode(), object_pairs_hook=_members, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError as error:
        raise CannotSay(f"The text is nested deeper than {DEPTH_LIMIT} levels.", problem=RANGE) from error
    except ValueError as error:  # of UTF-8, of JSON, or of the hooks below
        raise ProofError(PARSING, f"The text is not strict JSON: {_reason(error)}.") from error
    screen_json(value, nulls=True)
    return value


def screen_json(value: Any, *, own: bool = False, nulls: bool = False) -> bool:
    """Refuse JSON of which two canonicalisations could differ: null (RDF drops it, JCS signs it), integers that a
    double cannot hold, NaN, control characters; and what exceeds the bounds. Raises ProofError.

    Gives whether the value is also plain (`ledger.proofs.jcs`), made of JSON's own types and nothing else.
    """
    plain = is_plain(value, DEPTH_LIMIT)
    if plain and _reads_clean(value):
        return True
    _screen_value(value, (), own, nulls)
    try:
        size = len(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise ProofError(MALFORMED, "The document holds what JSON cannot carry.") from error
    if size > SIZE_LIMIT_BYTES:
        raise CannotSay(f"The document has more than {SIZE_LIMIT_BYTES} bytes.", problem=RANGE)
    return plain


def _reads_clean(value: Any) -> bool:
    """Whether the JSON of a plain value is within bounds and shows neither null nor a banned character."""
    try:
        text = msgspec.json.encode(value)
    except ValueError:  # a lone surrogate
        return False
    if len(text) > SIZE_LIMIT_BYTES or b"null" in text or b"\x7f" in text:
        return False
    # One byte is found at once, so most texts are not searched for the longer ones.
    return not (b"\\" in text and any(escape in text for escape in _ESCAPES)) and not (
        b"\xef" in text and any(raw in text for raw in _RAW)
    )


def screen_terms(document: Any, *, own: bool = False) -> None:
    """Refuse JSON-LD that RDF libraries read apart or in part: unknown contexts, keywords, empty and nested arrays,
    malformed language tags. The document has passed `screen_json`. Raises ProofError."""
    if not isinstance(document, dict) or "@context" not in document:
        raise ProofError(MALFORMED, "A JSON-LD document is an object with an @context.", "")
    _screen_node(document, (), NO_TERMS, own)


def _screen_value(value: Any, path: tuple[str | int, ...], own: bool, nulls: bool) -> None:
    if len(path) > DEPTH_LIMIT:
        raise CannotSay(f"The document is nested deeper than {DEPTH_LIMIT} levels.", pointer(path), RANGE)
    if isinstance(value, str):
        if _BANNED.search(value):
            raise ProofError(
                MALFORMED, "The text holds a control character or another that none may sign.", pointer(path)
            )
    elif isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str) or _BANNED.search(name):
                raise ProofError(MALFORMED, "The name of a member holds a control character.", pointer(path))
            _screen_value(member, (*path, name), own, nulls)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _screen_value(member, (*path, index), own, nulls)
    elif value is None:
        if not nulls:
            raise ProofError(
                TRANSFORMATION, "null means one thing to JSON and nothing to RDF; leave it out.", pointer(path)
            )
    elif not isinstance(value, bool):
        _screen_number(value, path, own)


def _screen_number(value: Any, path: tuple[str | int, ...], own: bool) -> None:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not isinstance(value, (int, float)):
        raise ProofError(MALFORMED, "The document holds what JSON cannot carry.", pointer(path))
    if not math.isfinite(value) or (whole and abs(value) > EXACT_INTEGER):
        raise ProofError(TRANSFORMATION, "A number that JSON readers hold differently cannot be signed.", pointer(path))
    if own and not whole and not is_credit(value):
        raise ProofError(
            TRANSFORMATION, "Fractions here have at most two places, above 0 and under 10,000.", pointer(path)
        )


def _screen_node(node: dict[str, Any], path: tuple[str | int, ...], terms: Terms, own: bool) -> None:
    if not node:
        raise ProofError(TRANSFORMATION, "An empty object says nothing in RDF; leave it out.", pointer(path))
    if "@value" in node:
        _screen_value_object(node, path)
        return
    if "@context" in node:
        screen_context(node["@context"], (*path, "@context"), own=own)
        terms = terms | terms_of(node["@context"])
    for name, member in node.items():
        if name.startswith("@"):
            if name != "@context":
                raise ProofError(TRANSFORMATION, f"The keyword {name} is not accepted here.", pointer((*path, name)))
        elif name == "type":
            _screen_type(member, (*path, name))
        elif name not in terms.json:
            _screen_member(member, (*path, name), terms, own)


def _screen_member(member: Any, path: tuple[str | int, ...], terms: Terms, own: bool) -> None:
    if isinstance(member, dict):
        _screen_node(member, path, terms, own)
    elif isinstance(member, list):
        if not member:
            raise ProofError(TRANSFORMATION, "An empty array says nothing in RDF; leave it out.", pointer(path))
        for index, item in enumerate(member):
            if isinstance(item, list):
                raise ProofError(TRANSFORMATION, "An array in an array is flattened in RDF.", pointer((*path, index)))
            _screen_member(item, (*path, index), terms, own)


def _screen_type(member: Any, path: tuple[str | int, ...]) -> None:
    if isinstance(member, str):
        return
    if not isinstance(member, list) or not member or not all(isinstance(name, str) for name in member):
        raise ProofError(MALFORMED, "A type is a string or an array of strings.", pointer(path))


def _screen_value_object(node: dict[str, Any], path: tuple[str | int, ...]) -> None:
    for name in node.keys() - _VALUE_KEYS:
        raise ProofError(
            TRANSFORMATION, "A text with @value takes @language, @type and @direction only.", pointer((*path, name))
        )
    if isinstance(node["@value"], (dict, list)):
        raise ProofError(MALFORMED, "@value is a text, a number or a boolean.", pointer((*path, "@value")))
    kind, language, direction = (node.get(name) for name in ("@type", "@language", "@direction"))
    if kind is not None and (not isinstance(kind, str) or kind.startswith("@") or language or direction):
        raise ProofError(MALFORMED, "@type is one IRI, and stands alone.", pointer((*path, "@type")))
    if language is not None and (not isinstance(language, str) or _LANGUAGE.fullmatch(language) is None):
        raise ProofError(MALFORMED, "A language is a tag such as en or pt-BR.", pointer((*path, "@language")))
    if direction is not None and direction not in ("ltr", "rtl"):
        raise ProofError(MALFORMED, "A text's direction is ltr or rtl.", pointer((*path, "@direction")))
    if (language or direction) and not isinstance(node["@value"], str):
        raise ProofError(MALFORMED, "Only a text has a language or a direction.", pointer((*path, "@value")))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("an integer is beyond what a double holds exactly")
    return int(digits)


def _reason(error: ValueError) -> str:
    """What was wrong, without quoting the text."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)
