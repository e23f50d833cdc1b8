"""Digests of related resources: those of contexts are compared with the bytes held here."""

import base64
import hashlib

import pytest
from tests.registry.verification.badges import badge, issued_by
from tests.registry.verification.test_foreign import STRANGER_DID, by_key
from tests.registry.verification.test_own_awards import failures, named

from ledger import contexts
from registry.verification.related import digest_faults
from registry.verification.verifier import Submission, Verifier

V2 = "https://www.w3.org/ns/credentials/v2"
SHA256 = bytes.fromhex("59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734")
SRI = "sha256-" + base64.b64encode(SHA256).decode()
SRI_384 = "sha384-" + base64.b64encode(hashlib.sha384(contexts.content(V2)).digest()).decode()
MULTIBASE = "u" + base64.urlsafe_b64encode(b"\x12\x20" + SHA256).decode().rstrip("=")


@pytest.mark.parametrize(
    "digests",
    [
        {"digestSRI": SRI},
        {"digestSRI": SRI_384},
        {"digestSRI": f"{SRI} {SRI_384}"},
        {"digestMultibase": MULTIBASE},
        {"digestSRI": SRI, "digestMultibase": MULTIBASE},
    ],
)
def test_the_digest_of_a_context_that_w3c_published_is_right(digests: dict[str, str]) -> None:
    assert digest_faults(badge(relatedResource=[{"id": V2, **digests}])) == []


@pytest.mark.parametrize(
    ("digests", "pointer"),
    [
        ({"digestSRI": "sha256-AAAA"}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": f"{SRI} sha256-AAAA"}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": ""}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": 7}, "/relatedResource/0/digestSRI"),
        ({"digestSRI": "md5-AAAA"}, "/relatedResource/0/digestSRI"),
        ({"digestMultibase": "z!"}, "/relatedResource/0/digestMultibase"),
        ({"digestMultibase": "uAAAA"}, "/relatedResource/0/digestMultibase"),
        ({"digestSRI": SRI, "digestMultibase": "u"}, "/relatedResource/0/digestMultibase"),
    ],
)
def test_another_digest_is_pointed_at(digests: dict[str, object], pointer: str) -> None:
    faults = digest_faults(badge(relatedResource=[{"id": V2, **digests}]))

    assert [fault.pointer for fault in faults] == [pointer]


def test_what_is_not_made_use_of_is_not_compared() -> None:
    assert digest_faults(badge(relatedResource={"id": "https://x.example/", "digestSRI": "sha256-AAAA"})) == []


async def test_a_credential_that_relies_on_another_context_fails_at_its_contexts_only(verifier: Verifier) -> None:
    document = issued_by(STRANGER_DID, relatedResource=[{"id": V2, "digestSRI": "sha256-AAAA"}])

    verdict = await verifier.verify(Submission(credential=by_key(document)))

    assert failures(verdict) == ["contexts"]
    assert named(verdict, "contexts").code == "CRYPTOGRAPHIC_SECURITY_ERROR"
