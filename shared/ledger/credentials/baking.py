"""Baking: a credential inside its own picture, and out again (Open Badges 3.0 §5.3).

PNG: exactly one uncompressed iTXt chunk with the keyword `openbadgecredential`, just before the end; the text is the
JSON document or the compact JWS. SVG: the namespace on the root element, and right after its start tag one
`openbadges:credential`, with the document as CDATA or the JWS in `verify`. Baking replaces what was baked before, and
equal input gives equal bytes. Unbaking trusts nothing: bounded sizes, no compression, no doctype, one credential.
"""

import re
from typing import Final

from ledger.credentials.png import SIGNATURE, Chunk, international_text, png_bytes, read_chunks, text_chunk
from ledger.credentials.svg import Element, Visitor, end_of_tag, read_svg
from ledger.errors import Malformed, TooLarge

KEYWORD: Final = "openbadgecredential"
NAMESPACE: Final = "https://purl.imsglobal.org/ob/v3p0"
LARGEST_IMAGE: Final = 4 * 1024 * 1024
LARGEST_CREDENTIAL: Final = 256 * 1024

# What XML 1.0 cannot hold, even escaped. JSON written by us has none of it.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")


def bake(image: bytes, credential: str) -> bytes:
    """`image` (PNG or SVG) with `credential` (JSON or compact JWS) inside. Raises Malformed for another image."""
    return bake_png(image, credential) if image.startswith(SIGNATURE) else bake_svg(image, credential)


def unbake(image: bytes) -> str:
    """The credential inside a baked PNG or SVG of at most 4 MiB: JSON, or a compact JWS.

    Raises TooLarge, and Malformed when the image is malformed, holds none, several, or a compressed one.
    """
    if len(image) > LARGEST_IMAGE:
        raise TooLarge("A baked image has at most 4 MiB.")
    found = _in_png(image) if image.startswith(SIGNATURE) else _in_svg(image)
    if not found:
        raise Malformed("The image holds no Open Badges 3.0 credential.")
    if len(found) > 1:
        raise Malformed("The image holds more than one credential.")
    if len(found[0]) > LARGEST_CREDENTIAL:
        raise TooLarge("A baked credential has at most 256 KiB.")
    return found[0]


def bake_png(image: bytes, credential: str) -> bytes:
    """The PNG with the credential in its one iTXt chunk before IEND; other chunks keep their bytes."""
    chunks = [chunk for chunk in read_chunks(image) if not _holds_credential(chunk)]
    return png_bytes([*chunks[:-1], text_chunk(KEYWORD, credential), chunks[-1]])


def bake_svg(image: bytes, credential: str) -> bytes:
    """The SVG with the credential right after the root's start tag; all other bytes stay as they are."""
    if _NOT_XML.search(credential):
        raise Malformed("The credential holds a character that XML cannot carry.")
    image = _without_credential(image)
    root = _Finder()
    read_svg(image, root)
    end = end_of_tag(image, root.start)
    tag = image[root.start : end]
    closed = tag.endswith(b"/>")
    name = re.split(rb"[\s/>]", tag[1:], maxsplit=1)[0]
    head = tag[: -2 if closed else -1].rstrip()
    attribute = b' xmlns:openbadges="' + NAMESPACE.encode() + b'"'
    # A root that binds the prefix otherwise (a badge of version 2) keeps its binding; the element then brings its own.
    on_root = attribute if root.prefix is None else b""
    on_element = attribute if root.prefix not in (None, NAMESPACE) else b""
    return b"".join(
        [
            image[: root.start],
            head + on_root + b">",
            b"<openbadges:credential" + on_element,
            _body(credential),
            b"</" + name + b">" if closed else b"",
            image[end:],
        ]
    )


def _body(credential: str) -> bytes:
    if _JWS.fullmatch(credential):
        return f' verify="{credential}"/>'.encode()
    text = credential.replace("]]>", "]]]]><![CDATA[>")
    return f"><![CDATA[{text}]]></openbadges:credential>".encode()


def _holds_credential(chunk: Chunk) -> bool:
    return chunk.kind in (b"iTXt", b"tEXt", b"zTXt") and chunk.data.partition(b"\0")[0] == KEYWORD.encode()


def _in_png(image: bytes) -> list[str]:
    found = []
    for chunk in read_chunks(image):
        if not _holds_credential(chunk):
            continue
        if chunk.kind != b"iTXt":
            raise Malformed("The credential stands in a chunk other than iTXt.")
        _, compressed, text = international_text(chunk)
        if compressed:
            raise Malformed("The credential in the image is compressed, which Open Badges 3.0 does not allow.")
        try:
            found.append(text.decode())
        except UnicodeDecodeError as error:
            raise Malformed("The credential in the image is not UTF-8.") from error
    return found


class _Finder(Visitor):
    """Where the root begins, and each baked credential: what it says, its first byte and the byte of its end tag."""

    def __init__(self) -> None:
        self.start = 0
        self.prefix: str | None = None
        self.found: list[str] = []
        self.places: list[tuple[int, int]] = []
        self._open: Element | None = None
        self._text: list[str] = []

    def begun(self, element: Element, prefixes: dict[str, str]) -> None:
        if element.depth == 0:
            self.start = element.offset
            self.prefix = prefixes.get("openbadges")
        elif (element.namespace, element.name) == (NAMESPACE, "credential") and self._open is None:
            self._open, self._text = element, []
        elif self._open is not None:
            raise Malformed("The credential in the image is not plain text.")

    def text(self, data: str) -> None:
        if self._open is not None:
            self._text.append(data)

    def ended(self, depth: int, offset: int) -> None:
        if self._open is not None and self._open.depth == depth:
            self.found.append(self._open.attributes.get("verify") or "".join(self._text).strip())
            self.places.append((self._open.offset, offset))
            self._open = None


def _in_svg(image: bytes) -> list[str]:
    finder = _Finder()
    read_svg(image, finder)
    return [text for text in finder.found if text]


def _without_credential(image: bytes) -> bytes:
    finder = _Finder()
    read_svg(image, finder)
    for first, last in reversed(finder.places):
        # Of an empty element expat gives the same place, or the place after it, for both ends.
        end = end_of_tag(image, last if image[last : last + 2] == b"</" else first)
        image = image[:first] + image[end:]
    return image
