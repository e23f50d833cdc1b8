"""Where the command line looks: the environment first, the state folder of `make run` after it."""

import json
from pathlib import Path

import pytest

from ledger.cli.failure import Failure
from ledger.cli.place import Place

URLS = {"registry": "http://localhost:8010", "issuance": "http://localhost:8011", "revocation": "http://localhost:8012"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder as the supervisor leaves it."""
    (tmp_path / "secrets").mkdir()
    for role in ("superuser", "registry"):
        (tmp_path / "secrets" / f"postgres-{role}").write_text(f"p/{role}\n")
    (tmp_path / "operator.key").write_text("cl_test_operator\n")
    (tmp_path / "runtime.json").write_text(json.dumps({"urls": URLS, "socket_folder": "/run/a b"}))
    return tmp_path


def test_a_state_folder_says_everything(state: Path) -> None:
    place = Place.here({"CREDLEDGER_DATA": str(state)})

    assert place.address("issuance") == "http://localhost:8011"
    assert place.api_key(None) == "cl_test_operator"
    assert place.demo_folder == state / "demo"
    assert place.database_url("registry") == "postgresql://registry:p%2Fregistry@/ledger?host=%2Frun%2Fa%20b"
    assert place.owner_database_url() == "postgresql://ledger:p%2Fsuperuser@/ledger?host=%2Frun%2Fa%20b"


def test_the_environment_goes_first(state: Path) -> None:
    place = Place.here(
        {
            "CREDLEDGER_DATA": str(state),
            "CREDLEDGER_PORT": "9000",
            "CREDLEDGER_HOST": "::",
            "CREDLEDGER_API_KEY": "cl_test_mine",
            "CREDLEDGER_DATABASE_URL": "postgresql://x@y/z",
            "CREDLEDGER_OWNER_DATABASE_URL": "postgresql://owner@y/z",
            "CREDLEDGER_REVOCATION_URL": "https://status.ledger.example/",
        }
    )

    assert place.address("registry") == "http://[::1]:9000"
    assert place.address("issuance") == "http://[::1]:9001"
    assert place.address("revocation") == "https://status.ledger.example"
    assert place.api_key(None) == "cl_test_mine"
    assert place.api_key("cl_test_given") == "cl_test_given"
    assert place.database_url("registry") == "postgresql://x@y/z"
    assert place.owner_database_url() == "postgresql://owner@y/z"


def test_secrets_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("cl_test_filed\n")
    environment = {"CREDLEDGER_DATA": str(tmp_path), "CREDLEDGER_API_KEY_FILE": str(tmp_path / "key")}

    assert Place.here(environment).api_key(None) == "cl_test_filed"


def test_without_anything_the_default_port_is_meant(tmp_path: Path) -> None:
    place = Place.here({"CREDLEDGER_DATA": str(tmp_path)})

    assert place.address("revocation") == "http://127.0.0.1:8002"
    assert place.api_key(None) is None


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CREDLEDGER_PORT": "eight"}, "CREDLEDGER_PORT must be a whole number"),
        ({"CREDLEDGER_REGISTRY_URL_FILE": "/nowhere/at/all"}, "CREDLEDGER_REGISTRY_URL_FILE cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence) as failure:
        Place.here({"CREDLEDGER_DATA": str(tmp_path), **environment}).address("registry")

    assert failure.value.status == 2


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    place = Place.here({"CREDLEDGER_DATA": str(tmp_path)})

    with pytest.raises(Failure, match="set CREDLEDGER_DATABASE_URL, or start a ledger with `make run`") as failure:
        place.database_url("registry")
    assert failure.value.status == 69
    with pytest.raises(Failure, match="set CREDLEDGER_OWNER_DATABASE_URL"):
        place.owner_database_url()
    with pytest.raises(Failure, match="An institution's key is needed"):
        place.institution_key(None)
