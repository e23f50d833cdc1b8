"""`python -m tests.bench [part …]`: measure everything and write both files, or some parts and only print them."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import appending, awarding, bulk, following, notifying, starting
from tests.bench.figures import Figure
from tests.bench.machine import machine
from tests.bench.place import Place
from tests.bench.report import as_json, as_page
from tests.bench.sizes import Sizes, sizes_of

DOCS = Path(__file__).parents[2] / "docs"
Part = Callable[[Sizes, Place], list[Figure]]
PARTS: Mapping[str, Part] = {
    "append": appending.measure,
    "award": awarding.measure,
    "bulk": bulk.measure,
    "follow": following.measure,
    "notify": notifying.measure,
    "start": starting.measure,
    "first": starting.measure_first,
}


def main(names: Sequence[str]) -> int:
    """Measure. 0 when it was measured, whatever the figures say; 2 for a part or scale that does not exist."""
    try:
        sizes = sizes_of(os.environ.get("SCALE", "scaled"))
        parts = {name: PARTS[name] for name in names} or PARTS
    except (KeyError, ValueError) as error:
        sys.stderr.write(f"{error}; the parts are {', '.join(PARTS)}\n")
        return 2
    place = Place(disk_seconds=sizes.disk_seconds)
    figures = [figure for part in parts.values() for figure in part(sizes, place)]
    page = as_page(figures, machine(place.disk), scale=sizes.name, at=datetime.now(UTC))
    sys.stdout.write(f"\n{page}")
    if not names:
        DOCS.mkdir(exist_ok=True)
        (DOCS / "benchmarks.md").write_text(page)
        (DOCS / "benchmarks.json").write_bytes(as_json(figures, scale=sizes.name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
