"""Bad input over HTTP: always a clear problem or verdict, never a 500, and what was refused leaves no event."""

import copy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.registry.verification.test_hostile import poison
from tests.running import Institution, Running
from tests.servers import wait_until

from ledger.access import new_token
from ledger.codec import format_time

Json = dict[str, Any]
ANSWER_SECONDS = 3.0
LONGEST_ANSWER = 500_000


class World(msgspec.Struct, frozen=True):
    """An institution with an achievement, and one award of it."""

    ledger: Running
    client: httpx.Client
    institution: Institution
    achievement: str
    credential: Json

    def events(self) -> list[str]:
        """What somebody did: a service publishes a list when it is time to, whatever is asked meanwhile."""
        answer = self.client.get(
            f"{self.ledger.url('registry')}/v1/events?limit=100000", headers=_bearer(self.institution.api_key)
        )
        assert answer.status_code == 200, answer.text
        return [line for line in answer.text.splitlines() if '"role":"service"' not in line]

    def write(self, path: str, content: bytes, *, key: str | None = None, **headers: str) -> httpx.Response:
        """A write to issuance with these very bytes."""
        sent = {
            "content-type": "application/json",
            "idempotency-key": f"bad-{time.monotonic_ns()}",
            **_bearer(key or self.institution.api_key),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.post(self.ledger.url("issuance") + path, content=content, headers=sent)

    def award(self, **changed: Any) -> bytes:
        """The body of a good award with these members changed; one that is `...` is left out."""
        body = {
            "achievement_id": self.achievement,
            "learner": {"email": f"ada{time.monotonic_ns()}@learner.example", "name": "Ada"},
            **changed,
        }
        return msgspec.json.encode({name: value for name, value in body.items() if value is not ...})

    def verdict(self, document: Any) -> Json:
        """The registry's verdict on a document, which always comes."""
        answer = self.client.post(f"{self.ledger.url('registry')}/v1/verifications", json={"credential": document})
        assert answer.status_code == 200, answer.text
        assert len(answer.content) < LONGEST_ANSWER
        verdict: Json = answer.json()
        return verdict


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def world(ledger: Running) -> Iterator[World]:
    institution = ledger.institution("bad-input")
    achievement = ledger.achievement(institution)
    credential = ledger.award(institution, achievement)["credential"]
    with httpx.Client(timeout=30) as client:
        yield World(ledger, client, institution, achievement, credential)


@pytest.fixture
def unchanged(world: World) -> Iterator[None]:
    """The test leaves the institution's history as it was."""
    before = world.events()
    yield
    assert world.events() == before


LEARNER = b'"learner": {"email": "a@b.example"}'
UNREADABLE: dict[str, tuple[bytes, set[str]]] = {
    "malformed JSON": (b'{"achievement_id": "ach_', set()),
    "two values": (b"{} {}", set()),
    "invalid UTF-8": (b'{"achievement_id": "\xff\xfe", ' + LEARNER + b"}", set()),
    "an overlong form of a slash": (b'{"achievement_id": "\xc0\xaf", ' + LEARNER + b"}", set()),
    "a byte order mark": (b"\xef\xbb\xbf{}", set()),
    "nested a thousand deep": (b'{"x":' * 1000 + b"1" + b"}" * 1000, set()),
    "arrays a hundred thousand deep": (b"[" * 100_000 + b"]" * 100_000, set()),
    "a number of ten thousand digits": (b'{"achievement_version": ' + b"9" * 10_000 + b"}", set()),
    "a number beyond any double": (b'{"achievement_version": 1e400, ' + LEARNER + b"}", {"/achievement_version"}),
    "a number beyond what is exact": (b'{"achievement_version": 9007199254740993}', {"/achievement_version"}),
    "no number": (b'{"achievement_version": NaN}', set()),
    "a member given twice": (b'{"term": "a", "term": "b", ' + LEARNER + b"}", {"/term"}),
    "a member given twice inside": (b'{"learner": {"name": "A", "name": "B"}}', {"/learner/name"}),
    "NUL": (b'{"learner": {"email": "a@b.example", "name": "A\\u0000"}}', {"/learner/name"}),
    "a raw control character": (b'{"learner": {"name": "A\x01"}}', set()),
    "an escape sequence of a terminal": (b'{"learner": {"name": "\\u001b[31m"}}', {"/learner/name"}),
    "half a surrogate pair": (b'{"learner": {"name": "\\ud83d"}}', {"/learner/name"}),
    "a direction override": ('{"learner": {"name": "ada\u202egpj"}}'.encode(), {"/learner/name"}),
    "a control character in a name of a member": (b'{"a\\u0007": 1}', {""}),
}  # fmt: skip


@pytest.mark.parametrize(("content", "pointers"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.usefixtures("unchanged")
def test_what_cannot_be_read_is_malformed_and_leaves_no_event(world: World, content: bytes, pointers: set[str]) -> None:
    problem = checked_problem(world.write("/v1/awards", content), 400, "malformed")

    assert {error["pointer"] for error in problem["errors"]} == pointers


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_type_is_pointed_at_in_one_answer(world: World) -> None:
    body = world.award(
        achievement_id=5, achievement_version="1", learner={"email": 7, "name": [], "identity": "open", "age": 30},
        valid_until="soon", evidence=[{"id": "https://e.example/1"}, {"id": 3}, "x"], results={}, credits_earned=[1],
        term=None, license_number=True, favourite="blue",
    )  # fmt: skip

    problem = checked_problem(world.write("/v1/awards", body), 400, "malformed")

    assert {error["pointer"] for error in problem["errors"]} == {
        "/achievement_id", "/achievement_version", "/learner/email", "/learner/name", "/learner/identity",
        "/learner/age", "/valid_until", "/evidence/1/id", "/evidence/2", "/results", "/credits_earned",
        "/license_number", "/favourite",
    }  # fmt: skip
    assert all(error["detail"] for error in problem["errors"])


MISTAKEN: dict[str, tuple[Json, int, str, set[str]]] = {
    "nothing": ({"achievement_id": ..., "learner": ...}, 400, "malformed", {"/achievement_id", "/learner"}),
    "a learner without any identifier": ({"learner": {"name": "Ada"}}, 400, "malformed", {"/learner"}),
    "an e-mail that is none": ({"learner": {"email": "ada"}}, 400, "malformed", {"/learner/email"}),
    "an unknown achievement": ({"achievement_id": "ach_" + "a" * 26}, 404, "not_found", set()),
    "a version that never was": ({"achievement_version": 7}, 404, "not_found", set()),
    "a version below one": ({"achievement_version": 0}, 400, "malformed", {"/achievement_version"}),
    "a time without a zone": ({"valid_until": "2030-01-01T00:00:00"}, 400, "malformed", {"/valid_until"}),
    "an end before the beginning": ({"valid_until": "2001-01-01T00:00:00Z"}, 400, "malformed", {"/valid_until"}),
    "a day that never was": ({"valid_until": "2030-02-30T00:00:00Z"}, 400, "malformed", {"/valid_until"}),
    "an empty piece of evidence": ({"evidence": [{}]}, 400, "malformed", {"/evidence/0"}),
    "evidence at no address": ({"evidence": [{"id": "not an IRI"}]}, 400, "malformed", {"/evidence/0/id"}),
    "a script for evidence": ({"evidence": [{"id": "javascript:alert(1) "}]}, 400, "malformed", {"/evidence/0/id"}),
    "a result that nobody described": (
        {"results": [{"result_description": "urn:x:1", "value": "A"}]},
        422, "refused", {"/results/0/result_description"}),
    "more credits than there are": ({"credits_earned": "1e9"}, 400, "malformed", {"/credits_earned"}),
    "an endless narrative": ({"narrative": "x" * 10_001}, 400, "malformed", {"/narrative"}),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "status", "code", "pointers"), MISTAKEN.values(), ids=MISTAKEN)
@pytest.mark.usefixtures("unchanged")
def test_a_mistaken_award_gets_a_clear_problem_and_leaves_no_event(
    world: World, changed: Json, status: int, code: str, pointers: set[str]
) -> None:
    problem = checked_problem(world.write("/v1/awards", world.award(**changed)), status, code)

    assert {error["pointer"] for error in problem["errors"]} == pointers


def test_a_withdrawn_version_is_refused(world: World) -> None:
    achievement = world.ledger.achievement(world.institution, "Withdrawn")
    withdrawn = world.write(f"/v1/achievements/{achievement}/versions/1/withdrawal", b"{}")
    assert withdrawn.status_code == 200, withdrawn.text
    before = world.events()

    answer = world.write("/v1/awards", world.award(achievement_id=achievement))

    assert "withdrawn" in checked_problem(answer, 422, "refused")["detail"]
    assert world.events() == before


@pytest.mark.usefixtures("unchanged")
def test_another_institutions_achievement_is_like_one_that_never_was(world: World) -> None:
    other = world.ledger.institution("bad-input-other")
    theirs = world.ledger.achievement(other)

    foreign = checked_problem(world.write("/v1/awards", world.award(achievement_id=theirs)), 404, "not_found")
    never = checked_problem(world.write("/v1/awards", world.award(achievement_id="ach_" + "b" * 26)), 404, "not_found")

    assert foreign["detail"] == never["detail"]


@pytest.mark.usefixtures("unchanged")
def test_a_body_beyond_the_limit_is_too_large_even_when_it_says_nothing_of_its_length(world: World) -> None:
    whole = world.award(narrative="x" * 1_100_000)

    def pieces() -> Iterator[bytes]:
        yield from (whole[at : at + 65_536] for at in range(0, len(whole), 65_536))

    checked_problem(world.write("/v1/awards", whole), 413, "too_large")
    checked_problem(world.write("/v1/awards", pieces()), 413, "too_large")  # type: ignore[arg-type]


@pytest.mark.parametrize(("image", "says"), [
    ("data:image/png;base64," + "A" * 349_000, "type"),
    ("data:image/png;base64,%%%", "base64"),
    ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "image/png"),
    ("data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjxzY3JpcHQvPjwvc3ZnPg==", ""),
    ("javascript:alert(1)", "address"),
    ("data:image/png;base64," + "A" * 370_000, "characters"),
], ids=["not a PNG", "no base64", "a GIF", "an SVG with a script", "a script", "too large"])  # fmt: skip
@pytest.mark.usefixtures("unchanged")
def test_a_picture_that_cannot_be_kept_is_pointed_at(world: World, image: str, says: str) -> None:
    body = {"name": "Data", "description": "Data.", "criteria": {"narrative": "Exam."}, "image": image}

    problem = checked_problem(world.write("/v1/achievements", msgspec.json.encode(body)), 400, "malformed")

    assert [error["pointer"] for error in problem["errors"]] == ["/image"]
    assert says in problem["errors"][0]["detail"]


def test_the_same_idempotency_key_with_another_body_is_refused_and_with_the_same_adds_nothing(world: World) -> None:
    learner = {"email": "same@learner.example"}
    one, two = (world.award(learner=learner, term=term) for term in ("one", "two"))
    first = world.write("/v1/awards", one, idempotency_key="bad-input-same")
    assert first.status_code == 201
    before = world.events()

    other = world.write("/v1/awards", two, idempotency_key="bad-input-same")
    same = world.write("/v1/awards", one, idempotency_key="bad-input-same")

    checked_problem(other, 422, "idempotency_key_reused")
    assert same.content == first.content
    assert world.events() == before


def test_a_key_that_expired_was_revoked_or_never_was_opens_nothing(world: World) -> None:
    soon = format_time(datetime.now(UTC) + timedelta(seconds=1))
    expiring = world.ledger.post("issuance", "/v1/keys", {"name": "brief", "expires_at": soon},
                                 key=world.institution.api_key).json()  # fmt: skip
    revoked = world.ledger.post("issuance", "/v1/keys", {"name": "dead"}, key=world.institution.api_key).json()
    world.ledger.post("issuance", f"/v1/keys/{revoked['id']}/revocation", {}, key=world.institution.api_key)
    stranger = new_token("key_" + "x" * 26, b"s" * 32, live=False)
    forged = world.institution.api_key[:-4] + "AAAA"
    wait_until(lambda: world.write("/v1/awards", b"{}", key=expiring["api_key"]).status_code == 401, 3, "it expires")
    before = world.events()

    bad = [expiring["api_key"], revoked["api_key"], stranger, forged, "nonsense", "cl_live_" + forged[8:], "x" * 5000]
    details = [
        checked_problem(world.write("/v1/awards", world.award(), key=key), 401, "unauthenticated")["detail"]
        for key in bad
    ]

    assert "expired" in details[0]
    assert "revoked" in details[1]
    assert details[2] == details[3]
    assert world.events() == before


@pytest.mark.parametrize("name", [
    "עדה לאבלייס", "آدا لوفلیس", "艾達·勒芙蕾絲", "Ada 👩🏽\u200d💻 Lovelace", "Zoë d’Août-Ñandú", "a\u200db",
    '"\\</script>', "N" * 500,
])  # fmt: skip
def test_a_name_in_any_script_is_awarded_and_verifies(world: World, name: str) -> None:
    learner = {"email": f"ada{time.monotonic_ns()}@learner.example", "name": name, "identity": "plain"}
    answer = world.write("/v1/awards", world.award(learner=learner, narrative=f"{name} ✓\n\tסוף"))
    assert answer.status_code == 201, answer.text

    verdict = world.ledger.verify(credential=answer.json()["credential"], recipient={"name": name})

    assert verdict["verified"], verdict
    assert verdict["by_name"]["recipient"] == "passed"


def deep(levels: int) -> Any:
    value: Any = {"type": ["Evidence"]}
    for _ in range(levels):
        value = {"type": ["Evidence"], "evidence": value}
    return value


HOSTILE: dict[str, Json] = {
    "an unknown context": {"@context": [..., "https://evil.example/context"]},
    "a protected term defined anew": {"@context": [..., {"credentialSubject": "https://evil.example/subject"}]},
    "another vocabulary": {"@context": [..., {"@vocab": "https://evil.example/"}]},
    "no context": {"@context": None},
    "a nest": {"@nest": {"name": "Eve"}},
    "a reversed property": {"@reverse": {"issuer": {"id": "https://evil.example"}}},
    "a graph": {"@graph": [{"id": "https://evil.example"}]},
    "terms that nothing defines": {"favourite": {"colour": "blue"}},
    "a hundred thousand numbers": {"evidence": [1] * 100_000},
    "a blank node for an id": {"id": "_:b0"},
    "an id that is a number": {"id": 7},
    "proofs without number": {"proof": [{}] * 1000},
    "a proof that follows itself": {"proof": [{"id": "urn:x", "type": "DataIntegrityProof", "previousProof": "urn:x"}]},
    "a status list on a private address": {"credentialStatus": {
        "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1",
        "statusListCredential": "http://169.254.169.254/latest/meta-data"}},
    "an issuer on a private address": {"issuer": {"id": "did:web:127.0.0.1%3A22", "type": ["Profile"]}},
}  # fmt: skip


@pytest.mark.parametrize("changed", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_ld_gets_a_verdict_and_is_not_verified(world: World, changed: Json) -> None:
    document = {**copy.deepcopy(world.credential), **changed}
    if isinstance(changed.get("@context"), list):
        document["@context"] = [*world.credential["@context"], *changed["@context"][1:]]
    began = time.monotonic()

    verdict = world.verdict(document)

    assert time.monotonic() - began < ANSWER_SECONDS
    assert not verdict["verified"]
    assert [check["detail"] for check in verdict["checks"] if check["status"] == "failed"]


@pytest.mark.parametrize("levels", [15, 200])
def test_deep_json_ld_is_told_to_be_too_deep(world: World, levels: int) -> None:
    body = msgspec.json.encode({"credential": {**world.credential, "evidence": [deep(levels)]}})
    answer = world.client.post(
        f"{world.ledger.url('registry')}/v1/verifications", content=body, headers={"content-type": "application/json"}
    )

    if levels > 30:
        assert "nests deeper" in checked_problem(answer, 400, "malformed")["detail"]
    else:
        assert answer.status_code == 200
        assert not answer.json()["verified"]


def test_a_poison_graph_is_answered_in_time_and_others_are_served_meanwhile(world: World) -> None:
    document = {**poison(), "proof": world.credential["proof"]}

    def timed(asked: Any) -> tuple[float, Json]:
        began = time.monotonic()
        verdict = world.verdict(asked)
        return time.monotonic() - began, verdict

    reads = []
    with ThreadPoolExecutor(2) as threads:
        poisoned = threads.submit(timed, document)
        good = threads.submit(timed, world.credential)
        while not poisoned.done():
            began = time.monotonic()
            assert world.client.get(world.credential["id"]).status_code == 200
            reads.append(time.monotonic() - began)

    assert poisoned.result()[0] < ANSWER_SECONDS
    assert not poisoned.result()[1]["verified"]
    assert max(reads) < 1.0
    assert good.result()[0] < ANSWER_SECONDS
    assert good.result()[1]["verified"]


@pytest.mark.parametrize("given", [
    {}, {"credential": {}, "jwt": "a.b.c"}, {"credential": []}, {"jwt": 5},
    {"image": "x" * 1_500_000}, {"document": {}},
], ids=["nothing", "two things", "a list", "a number", "an endless image", "an unknown member"])  # fmt: skip
def test_a_verification_of_what_is_no_submission_is_malformed(world: World, given: Json) -> None:
    answer = world.client.post(f"{world.ledger.url('registry')}/v1/verifications", json=given)

    assert checked_problem(answer, 400, "malformed")["errors"]


@pytest.mark.parametrize("given", [
    {"credential": {}}, {"jwt": "a.b.c"}, {"jwt": "eyJhbGciOiJub25lIn0.e30."}, {"image": "AAAA"}, {"image": "%%%"},
    {"image": "data:image/svg+xml;base64,PCFET0NUWVBFIGEgWzwhRU5USVRZIGIgIngiPl0+PHN2Zz4mYjs8L3N2Zz4="},
], ids=["an empty one", "no JWT", "an unsigned JWT", "no picture", "no base64", "an SVG with an entity"])  # fmt: skip
def test_a_verification_of_what_is_no_credential_fails_at_its_structure(world: World, given: Json) -> None:
    verdict = world.ledger.verify(**given)

    assert not verdict["verified"]
    assert verdict["by_name"]["structure"] == "failed"


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:22/", "http://[::1]/", "http://169.254.169.254/latest/meta-data", "https://localhost/",
    "file:///etc/passwd", "http://10.0.0.1/x", "http://0x7f000001/", "https://user:word@issuer.example/",
])  # fmt: skip
def test_an_address_that_must_not_be_asked_is_refused(world: World, url: str) -> None:
    answer = world.client.post(f"{world.ledger.url('registry')}/v1/verifications", json={"url": url})

    assert [error["pointer"] for error in checked_problem(answer, 422, "refused")["errors"]] == ["/url"]


def test_a_credential_that_would_be_too_large_to_sign_is_refused_and_stops_nobody(world: World) -> None:
    learner = {"email": "large@learner.example"}
    evidence = [{"narrative": f"{number} " + "x" * 9_900} for number in range(40)]
    before = world.events()

    refused = world.write("/v1/awards", world.award(learner=learner, evidence=evidence))

    problem = checked_problem(refused, 422, "refused")
    assert "could not be signed" in problem["detail"]
    assert world.events() == before
    assert world.write("/v1/awards", world.award(learner=learner)).status_code == 201


@pytest.mark.parametrize("address", ["https://a:1:2/", "http://[::1", "https://x.example/%zz"])
def test_evidence_at_an_address_that_is_none_is_refused_before_anything_is_recorded(world: World, address: str) -> None:
    before = world.events()

    answer = world.write("/v1/awards", world.award(evidence=[{"id": address}]))

    assert answer.status_code in (400, 422), answer.text
    assert world.events() == before
