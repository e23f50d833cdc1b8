"""The two files of a run: a page for people, JSON for programs. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from tests.bench.figures import Figure, rounded
from tests.bench.machine import Machine

VERDICTS = {True: "met", False: "**not met**", None: ""}


def as_json(figures: Sequence[Figure], *, scale: str) -> bytes:
    """`{name: {"value", "unit", "against": {…}}}`, indented."""
    body = {f.name: {"value": f.value, "unit": f.unit, "against": {**f.against(), "scale": scale}} for f in figures}
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def as_page(figures: Sequence[Figure], machine: Machine, *, scale: str, at: datetime) -> str:
    """The page: the machine, one row a figure, then how each was measured and what stands beside it."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {at:%Y-%m-%d}, sizes: **{scale}**"
        + (" (`make bench SCALE=full` takes as long as it needs)." if scale == "scaled" else "."),
        "Each figure is the median of its rounds. What shares a table or a ratio was measured in one run, in",
        "interleaved rounds, on the same servers with fsync on. Believe ratios rather than absolute numbers.",
        "",
        machine_line(machine),
        "",
        "| figure | value | target | | min … max | rounds |",
        "|---|---:|---:|---|---:|---:|",
        *(_row(figure) for figure in figures),
        "",
        "## How each was measured",
        "",
        *(line for figure in figures for line in _how(figure)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def machine_line(machine: Machine) -> str:
    """The machine in one paragraph."""
    rates = machine.fdatasync_per_s
    packages = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    return (
        f"Machine: {machine.cores} cores, {machine.system}, Python {machine.python}; load generators run on the same "
        f"cores. Disk during the run: {min(rates):,.0f}–{max(rates):,.0f} fdatasync/s of one 8 KiB page, p50 "
        f"{machine.fdatasync_p50_ms:.2f} ms, p99 {machine.fdatasync_p99_ms:.2f} ms. Versions: {packages}."
    )


def _row(figure: Figure) -> str:
    low, high = (_number(rounded(pick(figure.rounds))) for pick in (min, max))
    return (
        f"| `{figure.name}` | {_number(figure.value)} {figure.unit} | {figure.target or ''} "
        f"| {VERDICTS[figure.met]} | {low} … {high} | {len(figure.rounds)} |"
    )


def _how(figure: Figure) -> list[str]:
    beside = [f"- {name.replace('_', ' ')}: {_shown(value)}" for name, value in figure.beside.items()]
    return [f"**{figure.name}.** {figure.how}", *([""] if beside else []), *beside, ""]


def _shown(value: Any) -> str:
    return _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
