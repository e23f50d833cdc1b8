"""The rules of API keys."""

from datetime import timedelta

import pytest
from tests.issuance.histories import NOON, placed

from issuance import access_keys
from issuance.access_keys import RevokeKey
from ledger import errors
from ledger.codec import Fact, format_time
from ledger.events import KeyCreated, KeyScopesSet

STREAM = "access/key_one"
KEY = KeyCreated(key_id="key_one", name="one", role="institution", scopes=["awards:write"], secret_hash="00")


def test_a_key_that_is_there_is_not_made_twice() -> None:
    history = placed(STREAM, access_keys.create(KEY, [], at=NOON))

    assert access_keys.create(KEY, history, at=NOON) == []


def test_a_key_cannot_be_born_dead() -> None:
    dead = KeyCreated(**{**_fields(), "expires_at": format_time(NOON)})

    with pytest.raises(errors.Malformed, match="dead"):
        access_keys.create(dead, [], at=NOON)


def test_rotation_ends_the_old_key_after_the_overlap_and_never_later_than_before() -> None:
    history = placed(STREAM, access_keys.create(KEY, [], at=NOON))
    history = placed(STREAM, access_keys.end(timedelta(hours=1), history, at=NOON), history)

    state = access_keys.key_of(history)

    assert state is not None
    assert state.expires_at == format_time(NOON + timedelta(hours=1))
    assert access_keys.end(timedelta(hours=2), history, at=NOON) == []


def test_a_revoked_key_stays_dead_and_cannot_be_rotated() -> None:
    history = placed(STREAM, access_keys.create(KEY, [], at=NOON))
    history = placed(STREAM, access_keys.revoke(RevokeKey(), history, at=NOON), history)

    assert access_keys.revoke(RevokeKey(), history, at=NOON) == []
    with pytest.raises(errors.Refused, match="dead"):
        access_keys.living(history, at=NOON)


def test_an_unknown_key_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        access_keys.revoke(RevokeKey(), [], at=NOON)


def _fields() -> dict[str, object]:
    return {"key_id": "key_one", "name": "one", "role": "institution", "scopes": [], "secret_hash": "00"}


def test_a_key_is_given_the_scopes_that_a_release_adds_and_no_dead_key_is() -> None:
    history = placed(STREAM, access_keys.create(KEY, [], at=NOON))
    wanted = ["vault:read", "awards:write"]

    facts = access_keys.set_scopes(wanted, history, at=NOON)
    widened = placed(STREAM, facts, history)
    dead = placed(STREAM, access_keys.revoke(RevokeKey(), history, at=NOON), history)

    assert facts == [Fact(event=KeyScopesSet(key_id="key_one", scopes=["awards:write", "vault:read"]), at=NOON)]
    state = access_keys.key_of(widened)
    assert state is not None
    assert state.created.scopes == ["awards:write", "vault:read"]
    assert access_keys.set_scopes(wanted, widened, at=NOON) == []
    assert access_keys.set_scopes(wanted, dead, at=NOON) == []
    assert access_keys.set_scopes(wanted, [], at=NOON) == []
