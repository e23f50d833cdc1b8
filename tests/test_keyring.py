"""Keyrings: one setting, several epochs, the first seals; read again when an epoch is met that is not there."""

from pathlib import Path

import pytest

from ledger.keyring import EpochUnknown, Keyring, keys_in, text_of
from ledger.settings import Settings, SettingsError

OLD, NEW = b"o" * 32, b"n" * 32
OTHERS = {f"CREDLEDGER_{name}": "00" * 32 for name in ("SERVER_SECRET", "KEY_PEPPER", "SIGNING_KEK")}


def test_a_bare_key_is_epoch_1() -> None:
    keyring = Keyring.parse(OLD.hex())

    assert (keyring.epoch, keyring.epochs, keyring.older, keyring.current()) == (1, (1,), (), (1, OLD))


def test_the_first_key_seals_and_all_open() -> None:
    keyring = Keyring.parse(f"2:{NEW.hex()},\n 1:{OLD.hex()}\n")

    assert keyring.current() == (2, NEW)
    assert (keyring.key(1), keyring.key(2)) == (OLD, NEW)
    assert keyring.older == (1,)


def test_a_key_that_is_known_ahead_does_not_seal_yet() -> None:
    keyring = Keyring.parse(f"1:{OLD.hex()},2:{NEW.hex()}")

    assert (keyring.epoch, keyring.older, keyring.key(2)) == (1, (), NEW)


def test_a_keyrings_text_reads_as_it_was_written() -> None:
    assert list(keys_in(text_of({3: NEW, 1: OLD})).items()) == [(3, NEW), (1, OLD)]


@pytest.mark.parametrize("text", ["", "abc", OLD.hex()[:-2], f"0:{OLD.hex()}", f"{OLD.hex()},1:{NEW.hex()}", "1:"])
def test_what_is_no_keyring_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"keyring|epoch twice") as raised:
        Keyring.parse(text)

    assert OLD.hex() not in str(raised.value)


def test_an_epoch_that_is_nowhere_is_named() -> None:
    with pytest.raises(EpochUnknown, match="Epoch 2"):
        Keyring.single(OLD).key(2)


def test_two_keys_of_one_number_are_told_apart_by_a_check_that_says_nothing_of_them() -> None:
    first, second = Keyring.single(OLD).check(1), Keyring.single(NEW).check(1)

    assert len(first) == len(second) == 16
    assert first != second
    assert first not in OLD.hex()


def test_a_keyring_never_prints_its_keys() -> None:
    assert repr(Keyring.parse(f"2:{NEW.hex()},1:{OLD.hex()}")) == "Keyring([2, 1])"


def test_a_keyring_from_a_file_is_read_again_when_an_epoch_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "kek"
    file.write_text(OLD.hex())
    keyring = Keyring.parse(file.read_text(), file.read_text)

    file.write_text(text_of({2: NEW, 1: OLD}))
    assert keyring.epoch == 1
    assert keyring.key(2) == NEW
    assert keyring.epoch == 2

    file.write_text("half a fi")
    keyring.refresh()
    file.unlink()
    keyring.refresh()
    assert keyring.epochs == (2, 1)


def test_the_setting_is_a_keyring_and_a_wrong_one_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "kek"
    file.write_text(OLD.hex() + "\n")
    given = {**OTHERS, "CREDLEDGER_DATABASE_URL": "postgresql://nowhere", "CREDLEDGER_KEK_FILE": str(file)}

    settings = Settings.from_environment("issuance", given)

    assert settings.kek is not None
    assert settings.kek.current() == (1, OLD)
    file.write_text(text_of({2: NEW, 1: OLD}))
    assert settings.kek.key(2) == NEW
    file.write_text("nonsense")
    with pytest.raises(SettingsError, match="CREDLEDGER_KEK must be 32 bytes in hex, or a keyring"):
        Settings.from_environment("issuance", given)
