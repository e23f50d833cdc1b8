"""Which addresses are this ledger's own."""

import pytest

from registry.verification.addresses import Addresses

OWN = Addresses("http://localhost:8000", "http://localhost:8002")
CAPABILITY = "AbCdEfGhIjKlMnOpQrStUv"
LIST = "sl_" + "a" * 26


@pytest.mark.parametrize("suffix", ["", ".png", ".svg", "?x=1", "#subject"])
def test_the_capability_is_read_from_every_form_of_a_credential_s_address(suffix: str) -> None:
    assert OWN.capability(f"http://localhost:8000/credentials/{CAPABILITY}{suffix}") == CAPABILITY


@pytest.mark.parametrize(
    "url",
    [
        f"https://localhost:8000/credentials/{CAPABILITY}",
        f"http://localhost:8001/credentials/{CAPABILITY}",
        f"http://localhost:8000.evil.example/credentials/{CAPABILITY}",
        f"http://localhost:8000@evil.example/credentials/{CAPABILITY}",
        "http://localhost:8000/credentials/short",
        f"http://localhost:8000/credentials/{CAPABILITY}/more",
        f"http://localhost:8000/awards/{CAPABILITY}",
        f"http://localhost:999999/credentials/{CAPABILITY}",
        "urn:uuid:0",
    ],
)
def test_another_address_holds_no_capability(url: str) -> None:
    assert OWN.capability(url) is None


def test_a_host_is_ours_however_it_is_written() -> None:
    assert OWN.is_own_url("HTTP://LocalHost:8000/anything")
    assert OWN.is_own_url(f"http://localhost:8002/status-lists/{LIST}")
    assert not OWN.is_own_url("http://localhost:8003/")
    assert not OWN.is_own_url("https://issuer.example/")


def test_the_default_port_may_be_written_or_not() -> None:
    real = Addresses("https://ledger.example", "https://status.ledger.example")

    assert real.is_own_url("https://ledger.example:443/x")
    assert real.capability(f"https://ledger.example:443/credentials/{CAPABILITY}") == CAPABILITY
    assert not real.is_own_url("http://ledger.example/x")


def test_a_did_under_our_address_is_ours_and_no_look_alike_is() -> None:
    assert OWN.is_own_did("did:web:localhost%3A8000:issuers:oak")
    assert OWN.is_own_did("did:web:LOCALHOST%3a8000:issuers:oak#key-1")
    assert OWN.is_own_did("did:web:localhost%3A8000")
    assert not OWN.is_own_did("did:web:localhost%3A80001:issuers:oak")
    assert not OWN.is_own_did("did:web:localhost:8000:issuers:oak")
    assert not OWN.is_own_did("did:key:z6Mk")


def test_a_status_list_is_known_by_its_address_under_the_status_service() -> None:
    assert OWN.list_id(f"http://localhost:8002/status-lists/{LIST}") == LIST
    assert OWN.list_id(f"http://localhost:8002/status-lists/{LIST}#94567") == LIST
    assert OWN.list_id(f"http://localhost:8000/status-lists/{LIST}") is None
    assert OWN.list_id("http://localhost:8002/status-lists/sl_x") is None
