"""Which tenants are institutions and which are their sandboxes: it follows from the id alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import ids

INSTITUTION = "inst_" + "a" * 26


@given(st.binary(min_size=16, max_size=16))
def test_every_institution_has_one_sandbox_and_every_sandbox_one_institution(raw: bytes) -> None:
    institution = ids.text_id(ids.INSTITUTION, raw)

    sandbox = ids.sandbox_of(institution)

    assert (ids.is_sandbox(institution), ids.is_sandbox(sandbox)) == (False, True)
    assert ids.institution_behind(sandbox) == ids.institution_behind(institution) == institution
    assert re.match(ids.TENANT_PATTERN, institution)
    assert re.match(ids.TENANT_PATTERN, sandbox)


@pytest.mark.parametrize("tenant", ["ledger", None, "testing", "inst_test_", "x"])
def test_what_is_no_sandbox_is_none(tenant: str | None) -> None:
    assert ids.is_sandbox(tenant) is False


@pytest.mark.parametrize("name", ["nova", "test-lab", "did:web:ledger.example:issuers:nova", "inst", "test"])
def test_slugs_and_dids_are_no_ids_of_tenants(name: str) -> None:
    assert ids.is_tenant(name) is False
    assert re.match(ids.TENANT_PATTERN, name) is None
