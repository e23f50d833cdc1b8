"""Pictures that institutions send: a data URI (RFC 2397) with a PNG or a plain SVG of at most 256 KiB.

A badge's picture is shown on our pages and inside wallets. So an SVG may hold shapes, gradients, text and embedded
raster images, and nothing that runs, animates, or fetches.
"""

import base64
import binascii
import re
from typing import Final

import msgspec

from ledger.credentials.png import SIGNATURE, read_chunks, size_of
from ledger.credentials.svg import SVG, Element, Visitor, read_svg
from ledger.errors import Malformed, TooLarge

LARGEST: Final = 256 * 1024
LONGEST_SIDE: Final = 2048

_DATA_URI = re.compile(r"data:(image/(?:png|svg\+xml))(;charset=utf-8)?;base64,([A-Za-z0-9+/]*={0,2})", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]{1,5}(?:\.[0-9]+)?)\s*(?:px|pt|mm|cm|in)?\s*")
_XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
# Without `use`, `symbol` and animations: a few nested references draw a picture a million times over.
_SHAPE_NAMES: Final = """
    svg g defs title desc metadata path rect circle ellipse line polyline polygon text tspan textPath image style
    linearGradient radialGradient stop pattern clipPath mask marker filter feBlend feColorMatrix feComponentTransfer
    feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB
    feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight
    feTile feTurbulence
"""
_SHAPES: Final = frozenset(_SHAPE_NAMES.split())
# What drawing programs leave behind: it is data, no browser does anything with it.
_INERT: Final = (
    "http://www.inkscape.org/",
    "http://sodipodi.sourceforge.net/",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://purl.org/dc/",
    "http://creativecommons.org/ns#",
    "https://purl.imsglobal.org/ob/",
)


class Picture(msgspec.Struct, frozen=True):
    """A checked picture: `image/png` or `image/svg+xml`, its bytes, its size in pixels (for SVG in user units)."""

    media_type: str
    data: bytes
    width: int
    height: int


def picture_from_data_uri(uri: str) -> Picture:
    """The picture inside a base64 data URI. Raises TooLarge, or Malformed with the reason."""
    found = _DATA_URI.fullmatch(uri)
    if found is None:
        raise Malformed("The image must be a base64 data URI of type image/png or image/svg+xml.")
    if len(found[3]) > LARGEST * 4 // 3 + 4:
        raise TooLarge("An image has at most 256 KiB.")
    try:
        data = base64.b64decode(found[3], validate=True)
    except binascii.Error as error:
        raise Malformed("The image is not valid base64.") from error
    return picture_of(data, found[1].lower())


def picture_of(data: bytes, media_type: str) -> Picture:
    """`data` as a checked picture of `media_type`. Raises TooLarge, or Malformed with the reason."""
    if len(data) > LARGEST:
        raise TooLarge("An image has at most 256 KiB.")
    if (media_type == "image/png") != data.startswith(SIGNATURE):
        raise Malformed("The image is not of the type that it says.")
    width, height = size_of(read_chunks(data)) if media_type == "image/png" else _svg_size(data)
    if max(width, height) > LONGEST_SIDE:
        raise Malformed(f"The image is larger than {LONGEST_SIDE} on a side.")
    return Picture(media_type, data, width, height)


def _svg_size(data: bytes) -> tuple[int, int]:
    judge = _Judge()
    read_svg(data, judge)
    return judge.size


class _Judge(Visitor):
    """Refuses what an SVG must not hold, and finds its size."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self._style: int | None = None  # the depth of the style element that is open
        self._text: list[str] = []

    def begun(self, element: Element, prefixes: dict[str, str]) -> None:
        if element.depth == 0:
            if element.namespace != SVG:
                raise Malformed("The SVG file does not declare the SVG namespace.")
            self.size = _size(element.attributes)
        if element.namespace == SVG and element.name in _SHAPES:
            for name, value in element.attributes.items():
                _judge_attribute(element.name, name, value)
            if element.name == "style" and self._style is None:
                self._style = element.depth
        elif not element.namespace.startswith(_INERT):
            raise Malformed(f"The SVG file holds a {_shown(element.name)} element, which is not taken here.")

    def text(self, data: str) -> None:
        if self._style is not None:
            self._text.append(data)  # judged whole: a comment may cut a word in two

    def ended(self, depth: int, offset: int) -> None:
        if self._style == depth:
            _judge_style("".join(self._text))
            self._style, self._text = None, []


def _judge_attribute(element: str, attribute: str, value: str) -> None:
    namespace, _, name = attribute.rpartition(" ")
    if namespace.startswith(_INERT):
        return
    if name.lower().startswith("on"):
        raise Malformed(f"The SVG file holds the event handler {_shown(name)}.")
    if name in ("href", "src") and namespace in ("", _XLINK):
        if element == "image":
            _judge_inner(value)
        elif not value.strip().startswith("#"):
            raise Malformed("The SVG file refers to something outside itself.")
    elif (namespace, name) == (_XML, "base"):
        raise Malformed("The SVG file moves its base, so that its references point elsewhere.")
    else:
        _judge_style(value)


def _judge_inner(uri: str) -> None:
    """An image inside the image: a PNG of bounded size, so that no small file unpacks into a huge one."""
    if not uri.startswith("data:image/png;base64,"):
        raise Malformed("The SVG file refers to something outside itself.")
    picture_from_data_uri("".join(uri.split()))


def _judge_style(text: str) -> None:
    """No reference but to a part of the same file; no rule that fetches; no escape that could hide either."""
    for target in re.findall(r"url\s*\(\s*[\"']?\s*(.?)", text, re.IGNORECASE):
        if target != "#":
            raise Malformed("The SVG file refers to something outside itself.")
    if "\\" in text or re.search(r"@|expression\s*\(|image-set|/\*|//", text, re.IGNORECASE):
        raise Malformed("The SVG file holds a style that is not taken here.")


def _size(attributes: dict[str, str]) -> tuple[int, int]:
    box = attributes.get("viewBox", "").replace(",", " ").split()
    sides = box[2:] if len(box) == 4 else [attributes.get("width", ""), attributes.get("height", "")]
    found = [_LENGTH.fullmatch(side) for side in sides]
    if not all(found):
        raise Malformed("The SVG file has neither a view box nor a width and a height.")
    width, height = (round(float(side[1])) for side in found if side is not None)
    if not width or not height:
        raise Malformed("The SVG file has an empty side.")
    return width, height


def _shown(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "?", name)[:40]
