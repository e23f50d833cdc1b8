"""A credential goes into a picture and comes out again; hostile pictures end in a clear refusal."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib import baking as openbadgeslib_baking

from ledger.credentials.art import badge_svg
from ledger.credentials.baking import LARGEST_IMAGE, NAMESPACE, bake, unbake
from ledger.credentials.png import SIGNATURE, Chunk, png_bytes, read_chunks, text_chunk
from ledger.errors import Malformed, TooLarge
from ledger.raster import png_of

JSON_TEXT = '{"name":"Ada ]]> & <b> Núñez \U0001f600","n":[1,2]}'
JWS = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJkaWQ6d2ViOngifQ.c2ln-_"
SVG = b'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g/></svg>\n'


def chunk(kind: bytes, data: bytes) -> Chunk:
    return Chunk(kind, data)


def png(*extra: Chunk, side: int = 1) -> bytes:
    """A white picture of one grey pixel row per line, with other chunks before its end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + b"\xff" * side) * side))
    return png_bytes([header, pixels, *extra, chunk(b"IEND", b"")])


@pytest.mark.parametrize("picture", [png(), SVG, b'<s:svg xmlns:s="http://www.w3.org/2000/svg" title="a>b"/>'])
@pytest.mark.parametrize("credential", [JSON_TEXT, JWS])
def test_what_was_baked_comes_out(picture: bytes, credential: str) -> None:
    baked = bake(picture, credential)

    assert unbake(baked) == credential
    assert bake(picture, credential) == baked


@pytest.mark.parametrize("picture", [png(), SVG])
def test_baking_again_replaces_what_was_there(picture: bytes) -> None:
    assert bake(bake(picture, JWS), JSON_TEXT) == bake(picture, JSON_TEXT)
    assert unbake(bake(bake(picture, JSON_TEXT), JWS)) == JWS


def test_a_png_carries_one_uncompressed_text_chunk_before_its_end() -> None:
    picture = png(chunk(b"tEXt", b"Author\0North College"))
    kept = read_chunks(picture)

    assert read_chunks(bake(picture, JWS)) == [
        *kept[:-1],
        Chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + JWS.encode()),
        kept[-1],
    ]


def test_an_svg_carries_the_credential_right_after_its_start_tag() -> None:
    assert bake(SVG, '{"a":"]]>"}') == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" xmlns:openbadges="' + NAMESPACE.encode() + b'">'
        b'<openbadges:credential><![CDATA[{"a":"]]]]><![CDATA[>"}]]></openbadges:credential><g/></svg>\n'
    )


def test_a_prefix_bound_by_an_older_badge_keeps_its_meaning() -> None:
    older = SVG.replace(b"viewBox", b'xmlns:openbadges="http://openbadges.org" viewBox')
    baked = bake(older, JWS)

    assert unbake(baked) == JWS
    assert baked.count(b'xmlns:openbadges="http://openbadges.org"') == 1
    assert bake(baked, JSON_TEXT) == bake(older, JSON_TEXT)


@pytest.mark.parametrize("credential", [JSON_TEXT, JWS])
def test_openbadgeslib_reads_our_baked_badges(credential: str) -> None:
    art = badge_svg("ach_1", "Cloud", sector="technology")

    found_in_png = openbadgeslib_baking.extract_png(
        bake(png_of(art, side=64), credential), keyword=b"openbadgecredential"
    )
    found_in_svg = openbadgeslib_baking.extract_svg(
        bake(art.encode(), credential), element="openbadges:credential", text_fallback=True
    )

    assert (found_in_png, found_in_svg) == (credential, credential)


def test_we_read_badges_that_openbadgeslib_baked() -> None:
    in_png = openbadgeslib_baking.bake_png(png(), JWS, "a comment", keyword=b"openbadgecredential")
    in_svg = openbadgeslib_baking.bake_svg(
        SVG, JSON_TEXT, element="openbadges:credential", namespace=NAMESPACE, as_text=True
    )

    assert (unbake(in_png), unbake(in_svg)) == (JWS, JSON_TEXT)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "well-formed"),
        (b"GIF89a", "well-formed"),
        (SIGNATURE, "IHDR"),
        (png()[:-4], "ends inside|longer than"),
        (png()[:40], "ends inside|longer than"),
        (png() + b"trailing", "ends inside|longer than"),
        (png()[:8] + b"\xff\xff\xff\xff" + png()[12:], "longer than the file"),
        (png()[:-5] + b"\0" + png()[-4:], "check sum"),
        (png(), "no Open Badges"),
        (SVG, "no Open Badges"),
        (png(text_chunk("openbadgecredential", JWS), text_chunk("openbadgecredential", JWS)), "more than one"),
        (png(chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(b"0" * 10**6))), "compressed"),
        (png(chunk(b"tEXt", b"openbadgecredential\0" + JWS.encode())), "other than iTXt"),
        (png(chunk(b"iTXt", b"openbadgecredential\0\0\0")), "malformed"),
        (png(chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0\xff")), "UTF-8"),
        (png(*[chunk(b"tEXt", b"a\0b")] * 10_000), "more than 10000"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "doctype"),
        (b'<?xml version="1.0" encoding="UTF-16"?><svg xmlns="http://www.w3.org/2000/svg"/>', "UTF-8"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>'.encode("utf-16"), "UTF-8"),
        (b'<?xml-stylesheet href="http://x.example"?><svg xmlns="http://www.w3.org/2000/svg"/>', "instruction"),
        (b"<html/>", "not SVG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 70 + b"</g>" * 70 + b"</svg>", "nests"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 20_001 + b"</svg>", "too many"),
        (SVG.replace(b"<g/>", f'<c xmlns="{NAMESPACE}"/>'.encode()), "no Open Badges"),
        (SVG.replace(b"<g/>", f'<credential xmlns="{NAMESPACE}"><b/></credential>'.encode()), "plain text"),
        (SVG.replace(b"<g/>", f'<credential xmlns="{NAMESPACE}">x</credential>'.encode() * 2), "more than one"),
    ],
)
def test_a_picture_that_is_hostile_or_empty_is_refused_with_the_reason(picture: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        unbake(picture)


def test_sizes_are_bounded() -> None:
    with pytest.raises(TooLarge):
        unbake(b"<" * (LARGEST_IMAGE + 1))
    with pytest.raises(TooLarge):
        unbake(bake(png(), '{"a":"' + "x" * 300_000 + '"}'))


def test_a_credential_that_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(Malformed, match="XML"):
        bake(SVG, '{"a":"\x01"}')


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60))
def test_any_document_text_survives_both_pictures(text: str) -> None:
    credential = '{"text":"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"}'

    assert unbake(bake(png(), credential)) == credential
    assert unbake(bake(SVG, credential)) == credential


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damaged_picture_breaks_the_reader(data: st.DataObject) -> None:
    picture = bytearray(bake(data.draw(st.sampled_from([png(), SVG])), JSON_TEXT))
    for _ in range(data.draw(st.integers(1, 4))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))

    with suppress(Malformed, TooLarge):
        assert isinstance(unbake(bytes(picture)), str)
