"""The README's commands, run as written against a running ledger: only addresses and the key's file differ."""

import re
import subprocess
from pathlib import Path

import msgspec
from tests.running import Running

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 60


def test_the_commands_of_the_readme_do_what_it_says(ledger: Running, tmp_path: Path) -> None:
    (tmp_path / ".credledger").mkdir()
    (tmp_path / ".credledger" / "operator.key").write_text(ledger.operator)
    section = (ROOT / "README.md").read_text().split("## Try it with curl")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    script = block.group(1)
    for service, port in (("registry", 8000), ("issuance", 8001), ("revocation", 8002)):
        script = script.replace(f"localhost:{port}", ledger.url(service).removeprefix("http://"))

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
    answers = [decoder.decode(text) for text in re.split(r"(?<=\})\n?(?=\{)", done.stdout.strip())]
    credential, verified, revoked, failed, *history = answers
    assert credential["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert verified["verified"] is True
    assert revoked["standing"]["status"] == "revoked"
    assert failed["verified"] is False
    assert [check["name"] for check in failed["checks"] if check["status"] == "failed"] == ["status"]
    # The learner is told meanwhile, as soon as that may be.
    decided = [event["type"] for event in history if not event["type"].startswith("notice.")]
    assert decided == ["award.awarded", "award.revoked"]
