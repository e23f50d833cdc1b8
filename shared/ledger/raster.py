"""○ Pictures from drawings: SVG to PNG by resvg, without system fonts, so that equal drawings give equal bytes."""

import resvg_py


def png_of(svg: str, *, side: int = 512) -> bytes:
    """A square PNG of `side` pixels. Raises ValueError for what is no SVG."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True))
