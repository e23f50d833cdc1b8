"""Badge art: a picture for an achievement that brought none, drawn from its id.

Shape tells the credential type, colour the sector, the emblem the sector once more (colour is never the only sign); the
rosette behind the emblem is the achievement's own, from the digest of its id. Every picture carries its text
alternative. No text is drawn, so no font is needed and the bytes are the same everywhere.
"""

import hashlib
import math
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from ledger.credentials.taxonomy import CREDENTIAL_TYPES, SECTORS

SIZE: Final = 512
_MIDDLE: Final = SIZE / 2


class Palette(msgspec.Struct, frozen=True):
    """Deep, main and light colour of a sector, and the accent of its rosette; emblem on deep has contrast ≥ 7:1."""

    deep: str
    main: str
    light: str
    accent: str


PALETTES: Final[dict[str | None, Palette]] = {
    "technology": Palette("#0b2a5b", "#1d5fd1", "#9cc4ff", "#39d0ff"),
    "business_and_finance": Palette("#0d3b2e", "#1c8a63", "#a5e8c9", "#f2c14e"),
    "healthcare": Palette("#5a0f2e", "#c8325f", "#ffc0d0", "#ff8f70"),
    "education": Palette("#3f2a06", "#b8770b", "#ffdf9e", "#ff9f1c"),
    "creative_fields": Palette("#36135c", "#8a3fd1", "#dfc2ff", "#ff6ec7"),
    None: Palette("#1f2933", "#52606d", "#cbd2d9", "#9fb3c8"),
}

# Line drawings in a square of 100 units around the middle.
_EMBLEMS: Final[dict[str | None, str]] = {
    "technology": "M-34 0H-14M14 0H34M0-34V-14M0 14V34M-14-14H14V14H-14ZM-34-5A5 5 0 1 0-34 5A5 5 0 1 0-34-5"
    "M34-5A5 5 0 1 0 34 5A5 5 0 1 0 34-5M-5-34A5 5 0 1 0 5-34A5 5 0 1 0-5-34M-5 34A5 5 0 1 0 5 34A5 5 0 1 0-5 34",
    "business_and_finance": "M-36 36H36M-26 36V10M-6 36V-6M14 36V-18M34 36V-34M-30-6L-8-24L10-32L30-48",
    "healthcare": "M-12-36H12V-12H36V12H12V36H-12V12H-36V-12H-12Z",
    "education": "M0-22C-12-32-28-34-40-30V26C-28 22-12 24 0 34C12 24 28 22 40 26V-30C28-34 12-32 0-22ZM0-22V34",
    "creative_fields": "M-34 34L-26 8L18-36L36-18L-8 26ZM8-26L26-8M-34 34L-18 18",
    None: "M0-38L9-12H37L15 5L23 32L0 16L-23 32L-15 5L-37-12H-9Z",
}


def badge_svg(achievement_id: str, name: str, *, credential_type: str | None = None, sector: str | None = None) -> str:
    """The art of one achievement as an SVG document of 512 × 512; the same arguments give the same bytes."""
    digest = hashlib.sha256(b"credledger/art/v1\0" + achievement_id.encode()).digest()
    palette = PALETTES.get(sector, PALETTES[None])
    emblem = _EMBLEMS.get(sector, _EMBLEMS[None])
    outline = _outline(credential_type)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}" role="img"'
        f' aria-labelledby="title desc"><title id="title">{_text(name)}</title>'
        f'<desc id="desc">{_text(text_alternative(name, credential_type, sector))}</desc>'
        f'<defs><linearGradient id="field" x1="0" y1="0" x2="0.6" y2="1"><stop offset="0" stop-color="{palette.main}"/>'
        f'<stop offset="1" stop-color="{palette.deep}"/></linearGradient>'
        f'<radialGradient id="glow" cx="0.5" cy="0.32" r="0.75"><stop offset="0" stop-color="{palette.light}"'
        f' stop-opacity="0.55"/><stop offset="1" stop-color="{palette.light}" stop-opacity="0"/></radialGradient>'
        f'<clipPath id="shape"><path d="{outline}"/></clipPath></defs>'
        f"{_ribbons(credential_type, palette)}"
        f'<path d="{outline}" fill="url(#field)"/><g clip-path="url(#shape)">{_rosette(digest, palette)}'
        f'<rect width="{SIZE}" height="{SIZE}" fill="url(#glow)"/></g>'
        f'<path d="{outline}" fill="none" stroke="{palette.light}" stroke-width="10" stroke-linejoin="round"/>'
        f'<path d="{outline}" fill="none" stroke="{palette.deep}" stroke-width="3" stroke-linejoin="round"'
        f' transform="translate({_MIDDLE:g} {_MIDDLE:g}) scale(0.9) translate(-{_MIDDLE:g} -{_MIDDLE:g})"/>'
        f'<circle cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" r="92" fill="{palette.deep}" stroke="{palette.accent}"'
        f' stroke-width="5"/><path d="{emblem}" transform="translate({_MIDDLE:g} {_MIDDLE:g}) scale(1.25)" fill="none"'
        f' stroke="#ffffff" stroke-width="7" stroke-linejoin="round" stroke-linecap="round"/></svg>'
    )


def text_alternative(name: str, credential_type: str | None = None, sector: str | None = None) -> str:
    """What the picture shows, in a sentence; it is also the image's caption in documents."""
    kind = CREDENTIAL_TYPES[credential_type].label if credential_type in CREDENTIAL_TYPES else "Badge"
    field = f" in {SECTORS[sector].label.lower()}" if sector in SECTORS else ""
    return f"{kind}{field}: {name}"


def _text(value: str) -> str:
    return escape("".join(letter if letter.isprintable() else " " for letter in value))


def _outline(credential_type: str | None) -> str:
    """Hexagon, shield, scalloped seal, circle or star by type; a rounded square where there is none."""
    match credential_type:
        case "digital_badge":
            return _polygon([(232, 60 * corner - 90) for corner in range(6)])
        case "nanodegree":
            return "M256 26L456 84V256C456 372 366 448 256 490C146 448 56 372 56 256V84Z"
        case "professional_certificate":
            return _scallops(18)
        case "mooc_certificate":
            return "M256 26A230 230 0 1 1 255.9 26Z"
        case "bootcamp_certification":
            return _polygon([(236 if corner % 2 == 0 else 196, 22.5 * corner - 90) for corner in range(16)])
        case _:
            return "M96 36H416A60 60 0 0 1 476 96V416A60 60 0 0 1 416 476H96A60 60 0 0 1 36 416V96A60 60 0 0 1 96 36Z"


def _point(radius: float, degrees: float) -> tuple[float, float]:
    # Two places: the C library's last digit differs between platforms.
    angle = math.radians(degrees)
    return round(_MIDDLE + radius * math.cos(angle), 2), round(_MIDDLE + radius * math.sin(angle), 2)


def _polygon(corners: list[tuple[float, float]]) -> str:
    points = [_point(radius, degrees) for radius, degrees in corners]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"


def _scallops(count: int) -> str:
    step = 360 / count
    start = _point(188, -90)
    arcs = (_point(188, -90 + step * (number + 1)) for number in range(count))
    return f"M{start[0]:g} {start[1]:g}" + "".join(f"A36 36 0 0 1 {x:g} {y:g}" for x, y in arcs) + "Z"


def _ribbons(credential_type: str | None, palette: Palette) -> str:
    if credential_type != "professional_certificate":
        return ""
    left, right = "M176 380L124 504L184 478L222 506L256 400Z", "M336 380L388 504L328 478L290 506L256 400Z"
    return f'<path d="{left}" fill="{palette.deep}"/><path d="{right}" fill="{palette.deep}"/>'


def _rosette(digest: bytes, palette: Palette) -> str:
    """Three rings of crossing ellipses; how many, how wide and how far turned comes from the digest."""
    parts = []
    for ring in range(3):
        petals = 7 + digest[ring] % 12
        long, short = 250 - 46 * ring - digest[ring + 3] % 20, 44 + digest[ring + 6] % 70
        turn = digest[ring + 9] % 60
        colour = (palette.light, palette.accent, palette.light)[ring]
        opacity = (0.38, 0.55, 0.3)[ring]
        ellipses = "".join(
            f'<ellipse cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" rx="{long}" ry="{short}"'
            f' transform="rotate({round(turn + 180 * petal / petals, 2):g} {_MIDDLE:g} {_MIDDLE:g})"/>'
            for petal in range(petals)
        )
        parts.append(f'<g fill="none" stroke="{colour}" stroke-opacity="{opacity}" stroke-width="2">{ellipses}</g>')
    return "".join(parts)
