"""How values are spelled in RDF: IRIs that all libraries keep as they are, and fractions as JSON-LD 1.1 §8.6 says."""

import re
from typing import Final

import pyoxigraph as ox

from ledger.proofs.skeleton import Leaf

XSD: Final = "http://www.w3.org/2001/XMLSchema#"

_CHARACTER: Final = r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=]"
_PART: Final = rf"{_CHARACTER}*(?:%[0-9A-Fa-f]{{2}}{_CHARACTER}*)*"
_is_uri: Final = re.compile(rf"(?:https?|urn|did|mailto|tel|data):{_PART}(?:#{_PART})?").fullmatch
# With a host of letters and digits, or without any, there is nothing left that an IRI parser could refuse.
_is_simple_uri: Final = re.compile(
    rf"(?:https?://[A-Za-z0-9.\-]+(?::[0-9]+)?(?:[/?]{_PART})?|(?:urn|did|mailto|tel):(?!//){_PART})(?:#{_PART})?"
).fullmatch


def is_kept_iri(leaf: Leaf) -> bool:
    """Whether a value is an ASCII URI of a listed scheme, well-formed: all libraries keep it, as it is."""
    if not isinstance(leaf, str):
        return False
    if _is_simple_uri(leaf):
        return True
    if not _is_uri(leaf):
        return False
    try:
        ox.NamedNode(leaf)
    except ValueError:
        return False
    return True


def fraction(number: float) -> str:
    """A number that is not whole, as the canonical double: C's `%1.15E` without trailing zeros, such as `4.5E0`."""
    mantissa, _, exponent = f"{number:.15E}".partition("E")
    text = mantissa.rstrip("0")
    text = f"{text}0" if text.endswith(".") else text
    return f"{text}E{int(exponent)}"


def datatype_of_fraction(slot: str | None) -> str | None:
    """The datatype of a fraction where the context gives `slot` to texts."""
    return XSD + "double" if slot == XSD + "string" else slot
