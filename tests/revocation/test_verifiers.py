"""Libraries that we do not sign with accept our lists: the proofs, the bits, the status of an award."""

import copy
from typing import Any

import httpx
import pytest
from openbadgeslib.ob3 import status as openbadgeslib_status
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_jcs import EddsaJcsProofSuite
from openvc.proof.errors import ProofError
from openvc.status.status_list import check_credential_status
from tests.revocation.reader import fetched
from tests.revocation.world import Institution, World, bearer

from ledger.bitstring import status_entry
from ledger.events import IssuerKeyChanged, StatusEntry
from ledger.proofs.keys import from_multibase

SUITES = {"eddsa-rdfc-2022": DataIntegrityProofSuite, "eddsa-jcs-2022": EddsaJcsProofSuite}


async def key_of(world: World, institution: Institution) -> dict[str, str]:
    (added,) = await world.events(institution, "issuer.key_changed")
    assert isinstance(added.event, IssuerKeyChanged)
    return from_multibase(added.event.public_key).jwk()


async def suspended_and_revoked(world: World, client: httpx.AsyncClient) -> tuple[Institution, list[list[StatusEntry]]]:
    """An institution and the places of three awards: untouched, suspended, revoked."""
    institution = await world.institution(profile="full")
    made = await world.awards(institution, 3)
    for award_id, kind in zip(list(made)[1:], ("suspension", "revocation"), strict=True):
        url = f"/v1/awards/{award_id}/{kind}"
        answer = await client.post(url, json={"reason_code": "other"}, headers=bearer(institution))
        assert answer.status_code == 200, answer.text
    return institution, list(made.values())


@pytest.mark.parametrize("suite", SUITES)
async def test_openvc_accepts_each_proof_and_refuses_a_changed_list(
    world: World, client: httpx.AsyncClient, suite: str
) -> None:
    institution, places = await suspended_and_revoked(world, client)
    signed = await fetched(client, places[0][0].list_id)
    (proof,) = [proof for proof in signed["proof"] if proof["cryptosuite"] == suite]
    one = {**signed, "proof": proof}
    bent = copy.deepcopy(one)
    bent["credentialSubject"]["statusPurpose"] = "message"
    key = await key_of(world, institution)

    assert SUITES[suite]().verify(one, public_key_jwk=key).issuer == institution.did
    with pytest.raises(ProofError):
        SUITES[suite]().verify(bent, public_key_jwk=key)


async def test_openvc_reads_the_standing_of_each_award_from_the_lists(world: World, client: httpx.AsyncClient) -> None:
    _, places = await suspended_and_revoked(world, client)
    lists = {e.list_id: await fetched(client, e.list_id) for entries in places for e in entries}
    urls = {credential["id"]: credential for credential in lists.values()}

    def standing(entries: list[StatusEntry]) -> Any:
        named = [status_entry(lists[e.list_id]["id"], e.purpose, e.index) for e in entries]
        result = check_credential_status({"credentialStatus": named}, resolve_status_list=urls.__getitem__)
        return result.revoked, result.suspended

    assert [standing(entries) for entries in places] == [(False, False), (False, True), (True, False)]


async def test_openbadgeslib_finds_exactly_the_revoked_award(world: World, client: httpx.AsyncClient) -> None:
    _, places = await suspended_and_revoked(world, client)
    revoked = next(e for e in places[2] if e.purpose == "revocation")
    credential = await fetched(client, revoked.list_id)

    bits = openbadgeslib_status.decode_encoded_list(credential["credentialSubject"]["encodedList"])

    assert openbadgeslib_status.set_indices(bits) == {revoked.index}
