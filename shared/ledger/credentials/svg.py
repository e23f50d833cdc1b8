"""SVG files read without trust: one parser with doctype and entities refused, and depth, size and encoding bounded.

The reader is expat; it fetches nothing, and what makes XML dangerous besides (entity expansion, external subsets)
starts with a doctype, which ends the reading here. Files are spliced at byte offsets, never written anew.
"""

from collections.abc import Callable
from typing import Final
from xml.parsers import expat

import msgspec

from ledger.errors import Malformed

SVG: Final = "http://www.w3.org/2000/svg"
DEEPEST: Final = 64
MOST_ELEMENTS: Final = 20_000

Attributes = dict[str, str]


class Element(msgspec.Struct, frozen=True):
    """An element as it begins: namespace, local name, attributes (names as `namespace local`), depth, byte offset."""

    namespace: str
    name: str
    attributes: Attributes
    depth: int
    offset: int


class Visitor:
    """What a reading tells; subclasses take what they need. `prefixes` are those declared on the element begun next."""

    def begun(self, element: Element, prefixes: dict[str, str]) -> None: ...

    def ended(self, depth: int, offset: int) -> None: ...

    def text(self, data: str) -> None: ...


def read_svg(image: bytes, visitor: Visitor) -> None:
    """Tell `visitor` every element and text of an SVG file. Raises Malformed for anything else than plain SVG."""
    if b"\0" in image[:4] or image[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Malformed("The SVG file is not UTF-8.")
    try:
        image.decode()
    except UnicodeDecodeError as error:
        raise Malformed("The SVG file is not UTF-8.") from error
    reader = _Reader(visitor)
    try:
        reader.parser.Parse(image, True)
    except expat.ExpatError as error:
        raise Malformed(f"The SVG file is not well-formed XML: {expat.ErrorString(error.code)}.") from error
    except ValueError as error:  # an encoding that Python does not know
        raise Malformed("The SVG file is not UTF-8.") from error


def end_of_tag(image: bytes, start: int) -> int:
    """The offset just after the `>` of the tag that begins at `start`; quoted `>` do not count."""
    quote = 0
    for at in range(start, len(image)):
        byte = image[at]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == 0x3E:
            return at + 1
    raise Malformed("The SVG file ends inside a tag.")


class _Reader:
    def __init__(self, visitor: Visitor) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.visitor = visitor
        self.depth = 0
        self.elements = 0
        self.prefixes: dict[str, str] = {}
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = _refusing("a doctype")
        self.parser.EntityDeclHandler = _refusing("an entity declaration")
        self.parser.ProcessingInstructionHandler = _refusing("a processing instruction")
        self.parser.StartNamespaceDeclHandler = self._prefixed
        self.parser.StartElementHandler = self._began
        self.parser.EndElementHandler = self._ended
        self.parser.CharacterDataHandler = visitor.text

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            raise Malformed("The SVG file is not UTF-8.")

    def _prefixed(self, prefix: str | None, namespace: str) -> None:
        self.prefixes[prefix or ""] = namespace

    def _began(self, tag: str, attributes: Attributes) -> None:
        namespace, _, name = tag.rpartition(" ")
        if self.depth == 0 and (namespace, name) not in ((SVG, "svg"), ("", "svg")):
            raise Malformed("The file is XML, but not SVG.")
        self.elements += 1
        if self.depth == DEEPEST or self.elements > MOST_ELEMENTS:
            raise Malformed("The SVG file nests too deep or has too many elements.")
        prefixes, self.prefixes = self.prefixes, {}
        offset = self.parser.CurrentByteIndex
        self.visitor.begun(Element(namespace, name, attributes, self.depth, offset), prefixes)
        self.depth += 1

    def _ended(self, tag: str) -> None:
        self.depth -= 1
        self.visitor.ended(self.depth, self.parser.CurrentByteIndex)


def _refusing(what: str) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise Malformed(f"The SVG file holds {what}, which is not taken here.")

    return refuse
