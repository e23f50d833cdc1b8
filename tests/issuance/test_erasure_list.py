"""The list of erasures outside the backups: only ever added to, whole lines, each learner once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from issuance.erasure_list import Entry, ErasureList
from ledger.errors import Unavailable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BEN = Entry("inst_a", "lrn_a", 7, NOON), Entry("inst_a", "lrn_b", 9, NOON)


async def test_what_is_listed_is_read_again_and_stands_there_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "list.ndjson"
    listed = ErasureList(path)

    await listed.add([ADA])
    await listed.add([ADA, BEN])
    await ErasureList(path).add([BEN])

    assert listed.read() == [ADA, BEN]
    assert len(path.read_bytes().splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_line_that_a_crash_cut_off_costs_nothing_but_itself(tmp_path: Path) -> None:
    path = tmp_path / "list.ndjson"
    await ErasureList(path).add([ADA])
    path.write_bytes(path.read_bytes() + b'{"tenant":"inst_a","lear')

    await ErasureList(path).add([BEN])

    assert ErasureList(path).read() == [ADA, BEN]


async def test_a_list_that_cannot_be_written_is_said_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(Unavailable, match="cannot be written"):
        await ErasureList(tmp_path / "file" / "list.ndjson").add([ADA])


async def test_where_no_list_is_kept_nothing_is_written() -> None:
    listed = ErasureList(None)

    await listed.add([ADA])

    assert listed.read() == []
