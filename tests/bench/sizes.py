"""How much is measured: a default run of minutes, marked `scaled`, or a full one."""

import msgspec


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds and seconds of each part."""

    name: str
    rounds: int
    append_seconds: float
    award_seconds: float
    follow_seconds: float
    start_rounds: int
    first_rounds: int
    bulk_rows: int
    bulk_rounds: int
    beside_seconds: float
    disk_seconds: float = 0.5


SCALED = Sizes(
    name="scaled", rounds=5, append_seconds=3, award_seconds=10, follow_seconds=10, start_rounds=3, first_rounds=1,
    bulk_rows=4_000, bulk_rounds=3, beside_seconds=6,
)  # fmt: skip
FULL = Sizes(
    name="full", rounds=11, append_seconds=30, award_seconds=60, follow_seconds=60, start_rounds=7, first_rounds=3,
    bulk_rows=10_000, bulk_rounds=5, beside_seconds=30,
)  # fmt: skip
TINY = Sizes(
    name="tiny", rounds=1, append_seconds=0.2, award_seconds=0.2, follow_seconds=0.5, start_rounds=1, first_rounds=1,
    bulk_rows=40, bulk_rounds=1, beside_seconds=0.3, disk_seconds=0.02,
)  # fmt: skip


def sizes_of(name: str) -> Sizes:
    """The sizes for SCALE. Raises ValueError."""
    try:
        return {"scaled": SCALED, "full": FULL}[name]
    except KeyError:
        raise ValueError(f"SCALE is scaled or full, not {name!r}") from None
