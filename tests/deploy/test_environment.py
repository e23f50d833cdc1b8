"""Setting up on a machine that is not ready for it: one sentence each, and nothing half made."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "environment.sh"
TOOLS = ("sh", "cmp", "cp", "mv", "echo", "chmod", "cat", "pwd")
TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexit 0\n'


def test_without_a_new_enough_python_the_sentence_says_what_to_install(tmp_path: Path) -> None:
    refused = set_up(tmp_path, python=TOO_OLD)

    assert refused.returncode == 2
    assert "Python 3.11 or newer is needed and was not found" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_without_the_venv_module_the_sentence_names_the_package(tmp_path: Path) -> None:
    refused = set_up(tmp_path, python=WITHOUT_VENV)

    assert refused.returncode == 2
    assert "python3 has no venv module. On Debian and Ubuntu: apt install python3-venv" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def set_up(folder: Path, *, python: str) -> "subprocess.CompletedProcess[str]":
    """Run the script in an empty project on a machine with that `python3` and no other."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in TOOLS:
        found = next(place for place in (Path("/bin", tool), Path("/usr/bin", tool)) if place.exists())
        (tools / tool).symlink_to(found)
    (tools / "python3").write_text(python)
    (tools / "python3").chmod(0o755)
    (folder / "requirements.lock").write_text("")
    environment = {"PATH": str(tools), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), "requirements.lock"], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
