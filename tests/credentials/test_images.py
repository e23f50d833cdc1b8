"""Pictures that institutions send are PNG or plain SVG, bounded, and hold nothing that runs or fetches."""

import base64

import pytest
from tests.credentials.test_baking import png

from ledger.credentials.art import badge_svg
from ledger.credentials.images import LARGEST, picture_from_data_uri
from ledger.errors import Malformed, TooLarge

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 30">'


def uri(data: bytes, media_type: str = "image/svg+xml") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def svg(inner: str) -> str:
    return uri(f"{HEAD}{inner}</svg>".encode())


def test_a_png_comes_out_with_its_bytes_and_size() -> None:
    picture = picture_from_data_uri(uri(png(side=9), "image/png"))

    assert (picture.media_type, picture.data, picture.width, picture.height) == ("image/png", png(side=9), 9, 9)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        '<g fill="url(#a)"><path d="M0 0"/></g>',
        "<style>.a { fill: red; stroke: url(#g) }</style>",
        f'<image href="{uri(png(), "image/png")}"/>',
        '<text xlink:href="#a">x</text>',
        '<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="http://x.example"/></metadata>',
    ],
)
def test_plain_drawings_are_taken(inner: str) -> None:
    picture = picture_from_data_uri(svg(inner))

    assert (picture.media_type, picture.width, picture.height) == ("image/svg+xml", 40, 30)


def test_our_own_art_is_taken() -> None:
    art = badge_svg("ach_1", "Cloud", credential_type="nanodegree", sector="education").encode()

    assert picture_from_data_uri(uri(art)).data == art


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<g ONLOAD="alert(1)"/>',
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>",
        "<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>",
        '<a href="javascript:alert(1)"><text>x</text></a>',
        '<image href="https://x.example/pixel.png"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
        '<image href="data:image/png;base64,AAAA"/>',
        '<path d="M0 0" fill="url(https://x.example/a#b)"/>',
        '<path d="M0 0" style="fill:URL( &quot;//x.example&quot;)"/>',
        "<style>@import 'https://x.example/a.css';</style>",
        "<style>@im<!-- -->port 'a.css';</style>",
        "<style>a { fill: u<!-- -->rl(https://x.example) }</style>",
        "<style>a { fill: \\75rl(a) }</style>",
        '<use href="#a"/>',
        '<set attributeName="href" to="javascript:alert(1)"/>',
        '<g xml:base="https://x.example/"><path fill="url(#a)"/></g>',
        '<animate attributeName="x"/>',
    ],
)
def test_what_runs_or_fetches_is_refused(inner: str) -> None:
    with pytest.raises(Malformed):
        picture_from_data_uri(svg(inner))


@pytest.mark.parametrize(
    "given",
    [
        "https://x.example/a.png",
        "data:image/gif;base64,AAAA",
        "data:image/png,abc",
        uri(b"\x89PNG", "image/png"),
        uri(png(), "image/svg+xml"),
        uri(HEAD.encode() + b"</svg>", "image/png"),
        uri(png(side=2049), "image/png"),
        uri(b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        uri(b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="10"/>'),
        uri(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9000 10"/>'),
        uri(b'<svg viewBox="0 0 9 10"/>'),
        "data:image/png;base64,A",
    ],
)
def test_another_kind_or_size_of_picture_is_refused(given: str) -> None:
    with pytest.raises(Malformed):
        picture_from_data_uri(given)


def test_more_than_256_kib_is_refused() -> None:
    with pytest.raises(TooLarge):
        picture_from_data_uri(uri(b"\0" * (LARGEST + 1), "image/png"))
