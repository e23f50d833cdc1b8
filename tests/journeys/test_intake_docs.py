"""The commands of docs/intake.md, run as written against a running ledger: only addresses and the key's file differ."""

import re
import subprocess
from pathlib import Path

import msgspec
from tests.running import Running

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 60


def test_the_commands_for_integrators_do_what_the_page_says(ledger: Running, tmp_path: Path) -> None:
    (tmp_path / ".credledger").mkdir()
    (tmp_path / ".credledger" / "operator.key").write_text(ledger.operator)
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "intake.md").read_text(), re.DOTALL)
    script = "\n".join(blocks).replace("localhost:8001", ledger.url("issuance").removeprefix("http://"))

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    decoder = msgspec.json.Decoder()
    answers = [decoder.decode(text) for text in re.split(r"(?<=[}\]])\n?(?=[{\[])", done.stdout.strip())]
    corrected, found, preview, job, mapping, first, again, awards = answers
    assert (corrected["value"], corrected["corrected"]) == ("91", True)
    assert [one["id"] for one in found["data"]] == [corrected["id"]]
    counts = {name.removesuffix("_count"): preview[name] for name in preview if name.endswith("_count")}
    assert counts == {"row": 3, "result": 1, "award": 1, "already": 0, "nothing": 2, "fault": 0}
    assert (job["state"], job["outcome"]) == ("completed", {"awarded": 1, "nothing": 2})
    assert "completed" in (tmp_path / "progress.txt").read_text()
    assert mapping["source"] == "xapi"
    assert first == again == ["8f87ccde-bb56-4c2e-ab83-44982ef22df0"]
    assert [one["standing"] for one in awards["data"]] == ["valid", "valid"]
