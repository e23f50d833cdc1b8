"""An achievement's picture: as it was uploaded, or drawn from its id. Also as PNG, and with a credential baked in."""

import asyncio
from functools import lru_cache

from ledger.credentials.art import badge_svg
from ledger.credentials.baking import bake
from ledger.errors import NotFound
from ledger.raster import png_of
from registry.achievements import Achievement, Achievements

MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


async def picture(achievements: Achievements, achievement: Achievement, form: str) -> bytes:
    """The picture as `svg` or `png`: the upload where it has that form, else the drawing. Raises NotFound for
    another form."""
    if form not in MEDIA_TYPES:
        raise NotFound("A picture is to be had as image.svg and image.png.")
    if achievement.image_sha256 is not None and achievement.image_media_type == MEDIA_TYPES[form]:
        uploaded = await achievements.image(achievement.image_sha256)
        if uploaded is not None:
            return uploaded
    drawn = badge_svg(
        achievement.id, achievement.name, credential_type=achievement.credential_type, sector=achievement.sector
    )
    # Drawing pixels takes tens of milliseconds: a thread keeps the loop free for others.
    return drawn.encode() if form == "svg" else await asyncio.to_thread(_pixels, drawn)


@lru_cache(maxsize=128)
def _pixels(drawn: str) -> bytes:
    """A drawing's PNG, kept: every credential of an achievement shows the same one (about 0.2 MB each)."""
    return png_of(drawn)


async def baked(achievements: Achievements, achievement: Achievement, form: str, credential: str) -> bytes:
    """The picture with the credential (JSON text) inside (Open Badges 3.0 §5.3)."""
    return bake(await picture(achievements, achievement, form), credential)
