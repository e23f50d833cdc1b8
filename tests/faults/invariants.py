"""What must hold of a log whatever was killed while it was written."""

from collections.abc import Mapping
from typing import Any

import asyncpg


async def broken_invariants(url: str, acknowledged: Mapping[str, int]) -> list[str]:
    """Sentences about every invariant that does not hold; `acknowledged` maps a stream to the position it was told."""
    owner = await asyncpg.connect(url)
    try:
        return [
            *await _positions(owner),
            *await _streams(owner),
            *await _values(owner),
            *await _acknowledged(owner, acknowledged),
        ]
    finally:
        await owner.close()


async def _positions(owner: Any) -> list[str]:
    row = await owner.fetchrow(
        "SELECT count(*) AS n, coalesce(min(position), 1) AS low, coalesce(max(position), 0) AS high,"
        " (SELECT position FROM ledger.logs WHERE log_id = 0) AS head FROM ledger.events"
    )
    whole = row["low"] == 1 and row["n"] == row["high"] == row["head"]
    return [] if whole else [f"positions are not dense up to the head: {dict(row)}"]


async def _streams(owner: Any) -> list[str]:
    rows = await owner.fetch(
        """
        SELECT e.stream_id, count(*) AS n, max(e.version) AS high, min(e.position) AS first, max(e.position) AS last,
               s.version, s.first_position, s.last_position
        FROM ledger.events e LEFT JOIN ledger.streams s USING (log_id, stream_id) GROUP BY e.stream_id, s.version,
             s.first_position, s.last_position
        HAVING count(*) <> max(e.version) OR s.version IS DISTINCT FROM max(e.version)
            OR s.first_position <> min(e.position) OR s.last_position <> max(e.position)
        """
    )
    return [f"stream {dict(row)}" for row in rows]


async def _values(owner: Any) -> list[str]:
    orphans = await owner.fetchval(
        "SELECT count(*) FROM vault.sealed_values v LEFT JOIN ledger.events e ON e.position = v.event"
        " WHERE e.position IS NULL"
    )
    requests = await owner.fetchval(
        "SELECT count(*) FROM ledger.requests r LEFT JOIN ledger.events e ON e.position = r.position"
        " WHERE e.position IS NULL"
    )
    return [f"{n} {what} without an event" for n, what in ((orphans, "values"), (requests, "requests")) if n]


async def _acknowledged(owner: Any, acknowledged: Mapping[str, int]) -> list[str]:
    rows = await owner.fetch("SELECT stream_id, position, version FROM ledger.events WHERE stream_id = ANY($1)",
                             list(acknowledged))  # fmt: skip
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["stream_id"], []).append(row["position"])
    return [
        f"{stream} was acknowledged at {position} and lies at {found.get(stream)}"
        for stream, position in acknowledged.items()
        if found.get(stream) != [position]
    ]


async def doubled(url: str) -> int:
    """How many learners have more than one award of this load."""
    owner = await asyncpg.connect(url)
    count: int = await owner.fetchval(
        "SELECT count(*) FROM (SELECT pseudonym FROM issuance.awards GROUP BY pseudonym HAVING count(*) > 1) AS twice"
    )
    await owner.close()
    return count
