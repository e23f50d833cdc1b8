"""Badge art tells type, sector and achievement apart, says what it shows, and is the same every time."""

from itertools import pairwise

import pytest

from ledger.credentials.art import PALETTES, badge_svg, text_alternative
from ledger.credentials.taxonomy import CREDENTIAL_TYPES, SECTORS, sector_of
from ledger.raster import png_of


def test_the_same_achievement_has_the_same_picture_in_svg_and_png() -> None:
    first, again = (badge_svg("ach_1", "Cloud", sector="technology") for _ in range(2))

    assert first == again
    assert png_of(first, side=64) == png_of(again, side=64)


def test_another_achievement_type_or_sector_has_another_picture() -> None:
    pictures = {
        badge_svg(achievement, "Cloud", credential_type=kind, sector=sector)
        for achievement in ("ach_1", "ach_2")
        for kind in CREDENTIAL_TYPES
        for sector in SECTORS
    }

    assert len(pictures) == 2 * 5 * 5


def test_the_text_alternative_stands_in_the_picture() -> None:
    art = badge_svg("ach_1", 'R&D <"1">', credential_type="nanodegree", sector="healthcare")

    assert text_alternative('R&D <"1">', "nanodegree", "healthcare") == 'Nanodegree in healthcare: R&D <"1">'
    assert '<title id="title">R&amp;D &lt;"1"&gt;</title>' in art
    assert '<desc id="desc">Nanodegree in healthcare: R&amp;D &lt;"1"&gt;</desc>' in art


@pytest.mark.parametrize("sector", [None, *SECTORS])
def test_the_white_emblem_reads_well_on_every_sectors_colour(sector: str | None) -> None:
    def brightness(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert 1.05 / (brightness(PALETTES[sector].deep) + 0.05) >= 7


def test_the_article_names_five_sectors_with_five_focus_areas_each() -> None:
    areas = [area for facts in SECTORS.values() for area in facts.focus_areas]

    assert len(areas) == len(set(areas)) == 25
    assert all(sector_of(area) == sector for sector, facts in SECTORS.items() for area in facts.focus_areas)
    assert all(one != other for one, other in pairwise(facts.achievement_type for facts in CREDENTIAL_TYPES.values()))
