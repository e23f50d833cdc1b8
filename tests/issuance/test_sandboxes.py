"""The sandbox of an institution: one, like it, called what it is, and open while it may write."""

import pytest
from tests.issuance.histories import NOON, TENANT, placed
from tests.issuance.test_institutions import DID, KEYS, WISH, created

from issuance import institutions, sandboxes
from issuance.institutions import CreateInstitution
from ledger import errors, ids
from ledger.events import InstitutionCreated, IssuerKeyChanged

SANDBOX = ids.sandbox_of(TENANT)


def opened(history: list, institution: list, namesake: list | None = None) -> list:  # type: ignore[type-arg]
    return sandboxes.open_sandbox(history, institution, namesake or [], did=f"{DID}-sandbox", keys=KEYS, at=NOON)


def test_a_sandbox_has_the_profile_of_its_institution_and_says_what_it_is() -> None:
    facts = opened([], created())

    assert facts[0].event == InstitutionCreated(
        slug="nova-sandbox",
        did=f"{DID}-sandbox",
        name="Nova University (sandbox)",
        url=WISH.url,
        email=WISH.email,
        sandbox_of=TENANT,
    )
    assert [type(fact.event) for fact in facts[1:]] == [IssuerKeyChanged] * 2


def test_a_long_name_leaves_room_for_what_it_is() -> None:
    wish = CreateInstitution(slug="long", name="L" * 200, url=WISH.url)
    history = placed(f"institution/{TENANT}", institutions.create(wish, [], did=DID, keys=KEYS, at=NOON))

    name = opened([], history)[0].event.name

    assert (len(name), name.endswith("L (sandbox)")) == (200, True)


def test_a_sandbox_is_opened_once() -> None:
    there = placed(f"institution/{SANDBOX}", opened([], created()), tenant=SANDBOX)

    assert opened(there, created()) == []


def test_nobody_has_no_sandbox() -> None:
    with pytest.raises(errors.NotFound):
        opened([], [])


def test_a_namesake_keeps_its_slug() -> None:
    with pytest.raises(errors.Refused, match="nova-sandbox is the slug of an institution"):
        opened([], created(), created())


def test_only_a_sandbox_has_the_slug_of_one() -> None:
    wish = CreateInstitution(slug="nova-sandbox", name="N", url=WISH.url)

    with pytest.raises(errors.Malformed) as refused:
        institutions.create(wish, [], did=DID, keys=KEYS, at=NOON)

    assert [fault.pointer for fault in refused.value.errors] == ["/slug"]


def test_a_slug_names_the_institution_that_bears_it_before_a_sandbox() -> None:
    secret = b"s" * 32
    nova = ids.named_id(secret, "inst", "nova")

    assert sandboxes.tenants_of_slug(secret, "nova") == [nova]
    assert sandboxes.tenants_of_slug(secret, "nova-sandbox") == [
        ids.named_id(secret, "inst", "nova-sandbox"),
        ids.sandbox_of(nova),
    ]
