"""No tenant reads, changes or revokes anything of another: every route of the route table, with another's key.

A route without a recipe here fails the test that counts them, so a new route cannot be forgotten. Each recipe names
something of the owner; the stranger's try must fail and leave no trace, and then the owner's own must succeed. The
stranger is another institution, then the owner's own sandbox; and what is the sandbox's is as closed to the owner.
"""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from tests.running import Institution, Running
from tests.servers import wait_until

import issuance.app
import registry.app
import revocation.app
from ledger import ids
from ledger.settings import Settings
from ledger.web import plans_of

Route = tuple[str, str, str]
Ask = tuple[str, Any, dict[str, str]]  # path, body, headers
APPS = {"issuance": issuance.app.app, "registry": registry.app.app, "revocation": revocation.app.app}
REFUSED = {401, 403, 404}
PROFILE = {"name": "Renamed", "url": "https://renamed.example"}
DEFINITION = {"name": "More Data", "description": "More.", "criteria": {"narrative": "Exam."}}
CHANGE = {"reason_code": "issued_in_error"}
TEXTS = {"subject": "Well done", "text": "{link}"}
REPORT = (
    "To: notices+NOTICE@localhost\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
    "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.1.1\n\n--B--\n"
)
TURN = {"reason_code": "board_decision", "authority": "Ministry of Education"}


CLASS_LIST = b"email\nlisted@learner.example\n"


class World(msgspec.Struct):
    """The owner, the stranger, and what the owner has."""

    ledger: Running
    owner: Institution
    stranger: Institution
    achievement: str

    def award(self) -> str:
        return str(self.ledger.award(self.owner, self.achievement)["id"])

    def learner(self) -> str:
        return str(self.ledger.award(self.owner, self.achievement)["learner_id"])

    def another(self, slug: str) -> str:
        """An institution of which nothing else is asked here."""
        return self.ledger.institution(f"{slug}-{self.owner.slug}-too").id

    def successor(self) -> str:
        """An institution that may succeed another: no sandbox does."""
        return self.stranger.id if ids.is_sandbox(self.owner.id) else self.owner.id

    def key_id(self) -> str:
        made = self.ledger.post("issuance", "/v1/keys", {"name": "second"}, key=self.owner.api_key)
        return str(made.json()["id"])

    def signing_key(self) -> str:
        profile = self.ledger.get("issuance", "/v1/profile", key=self.owner.api_key).json()
        return str(next(k["id"] for k in reversed(profile["keys"]) if not k.get("retired")))

    def recipient(self) -> str:
        answer = self.ledger.get("issuance", "/v1/key-encryption/recipient", key=self.ledger.operator)
        return str(answer.json()["recipient"])

    def export(self) -> dict[str, Any]:
        path, body = f"/v1/institutions/{self.owner.id}/signing-key-exports", {"recipient": self.recipient()}
        return dict(self.ledger.post("issuance", path, body, key=self.ledger.operator).json())

    def retired_key(self) -> str:
        """A signing key of the owner that signed nothing."""
        for _ in range(2):
            answer = self.ledger.post("issuance", "/v1/signing-keys/rotation", None, key=self.owner.api_key)
        return str([k["id"] for k in answer.json()["keys"] if k["retired"]][-1])

    def reissued_key(self) -> str:
        key_id = self.retired_key()
        path = f"/v1/signing-keys/{key_id}/reissue"
        answer = self.ledger.post("issuance", path, {}, key=self.owner.api_key)
        assert answer.status_code == 202, answer.text
        done = lambda: self.ledger.get("issuance", path, key=self.owner.api_key).json()["completed"]  # noqa: E731
        wait_until(done, 10, "it is issued anew")
        return key_id

    def etag(self, path: str) -> dict[str, str]:
        return {"if_match": self.ledger.get("issuance", path, key=self.owner.api_key).headers["etag"]}

    def suspended(self) -> str:
        award = self.award()
        self.ledger.post("revocation", f"/v1/awards/{award}/suspension", {"reason_code": "under_review"},
                         key=self.owner.api_key)  # fmt: skip
        return award

    def policy(self, *four_eyes: str) -> None:
        answer = self.ledger.call("PUT", "issuance", "/v1/profile/policy", {"four_eyes": four_eyes},
                                  key=self.owner.api_key, if_match="*")  # fmt: skip
        assert answer.is_success, answer.text

    def proposed(self) -> str:
        """An award that another key of the owner proposed."""
        key = self.ledger.post("issuance", "/v1/keys", {"name": "proposer", "role": "issuer"}, key=self.owner.api_key)
        self.policy("awards")
        learner = {"email": f"proposed-{key.json()['id']}@learner.example"}
        body = {"achievement_id": self.achievement, "learner": learner}
        answer = self.ledger.post("issuance", "/v1/awards", body, key=key.json()["api_key"])
        self.policy()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["approval"]["id"])

    def proposed_revocation(self) -> str:
        """A revocation that another key of the owner proposed."""
        award = self.award()
        key = self.ledger.post("issuance", "/v1/keys", {"name": "proposer", "role": "reviewer"}, key=self.owner.api_key)
        self.policy("revocations")
        path = f"/v1/awards/{award}/revocation"
        answer = self.ledger.post("revocation", path, CHANGE, key=key.json()["api_key"])
        self.policy()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["approval"]["id"])

    def preview(self) -> dict[str, Any]:
        body = {"award_ids": [self.award()], "change": "revoke", **CHANGE}
        answer = self.ledger.post("revocation", "/v1/standings/previews", body, key=self.owner.api_key)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def job(self, change: str | None = None) -> str:
        """A job of the owner that waits for its start, or one that was paused in its check."""
        rows = "".join(f"nobodys-{n}\n" for n in range(8_000 if change else 1))
        dry_run = "" if change else "&dry_run=true"
        path = f"/v1/jobs?kind=suspensions&reason_code=other{dry_run}"
        made = self.ledger.send("POST", "issuance", path, f"external_id\n{rows}".encode(), key=self.owner.api_key,
                                content_type="text/csv")  # fmt: skip
        assert made.status_code == 202, made.text
        job = str(made.json()["id"])
        if change == "paused":
            self.ledger.post("issuance", f"/v1/jobs/{job}/pause", {}, key=self.owner.api_key)
        elif change is None:
            look = f"/v1/jobs/{job}"
            wait_until(lambda: self.ledger.get("issuance", look, key=self.owner.api_key).json()["state"] == "checked",
                       10, "it is checked")  # fmt: skip
        return job

    def notice(self) -> dict[str, Any]:
        """A notice that went to a learner of the owner."""
        award, key = self.award(), self.owner.api_key

        def sent() -> list[dict[str, Any]]:
            data = self.ledger.get("issuance", f"/v1/notices?award_id={award}", key=key).json()["data"]
            return [notice for notice in data if notice["state"] == "sent"]

        wait_until(lambda: bool(sent()), 15, "the learner was told")
        return sent()[0]

    def events(self) -> list[str]:
        """The owner's events, as the operator reads them; a service publishes its lists, and a job of an earlier test
        carries its rows out, whatever is asked meanwhile."""
        lines = self.ledger.get("registry", "/v1/events?limit=100000", key=self.ledger.operator).text.splitlines()
        envelopes = {line: msgspec.json.decode(line)["envelope"] for line in lines}
        own = [(line, e["actor"]) for line, e in envelopes.items() if e["inst"] == self.owner.id]
        return [
            line for line, by in own if by["role"] != "service" and not str(by.get("request", "")).startswith("job_")
        ]

    def state(self) -> list[str]:
        """What the owner sees of his own."""
        asked = (
            "profile",
            *(f"{what}?limit=200" for what in ("keys", "achievements", "awards", "results", "mappings")),
        )
        return [self.ledger.get("issuance", f"/v1/{path}", key=self.owner.api_key).text for path in asked]

    def settle(self) -> None:
        """Wait until the awards of an earlier test's job are made: they would look like a stranger's trace."""

        def is_still() -> bool:
            jobs = self.ledger.get("issuance", "/v1/jobs?limit=200", key=self.owner.api_key).json()["data"]
            return not any(job["kind"] == "awards" and job["state"] in ("checking", "running") for job in jobs)

        wait_until(is_still, 30, "the owner's lists are awarded")

    def own_text(self) -> str:
        """The kind and language of a text of the stranger's own."""
        path = "/v1/notice-templates/revoked/de"
        assert self.ledger.call("PUT", "issuance", path, TEXTS, key=self.stranger.api_key).is_success
        return "revoked/de"

    def head(self) -> int:
        """The position of the log's last event of a request: lists, leases and rows of jobs follow by themselves."""
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.ledger.operator).text
        lines = [msgspec.json.decode(line) for line in text.splitlines()]
        by = {line["position"]: line["envelope"]["actor"] for line in lines}
        asked = [at for at, actor in by.items() if not str(actor.get("request", "job_")).startswith("job_")]
        return max(asked)

    def result(self, email: str = "ada@learner.example") -> str:
        body = {"achievement_id": self.achievement, "learner": {"email": email}, "value": "87"}
        made = self.ledger.post("issuance", "/v1/results", body, key=self.owner.api_key)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def mapping(self) -> str:
        made = self.ledger.post("issuance", "/v1/mappings", self.map(), key=self.owner.api_key)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def map(self) -> dict[str, Any]:
        rule = {"item": "https://lms.owner.example/exam", "achievement_id": self.achievement, "passed": True}
        return {"name": "Owner's", "source": "xapi", "rules": [rule]}


# What needs the owner's key and names something of the owner.
OWNED: dict[Route, Callable[[World], Ask]] = {
    ("registry", "GET", "/v1/events/{position}"): lambda w: (
        f"/v1/events/{msgspec.json.decode(w.events()[-1])['position']}", None, {}),
    ("issuance", "POST", "/v1/signing-keys/{key_id}/compromise"):
        lambda w: (f"/v1/signing-keys/{w.signing_key()}/compromise", {}, {}),
    ("issuance", "GET", "/v1/signing-keys/{key_id}/signed"):
        lambda w: (f"/v1/signing-keys/{w.signing_key()}/signed", None, {}),
    ("issuance", "POST", "/v1/signing-keys/{key_id}/reissue"):
        lambda w: (f"/v1/signing-keys/{w.retired_key()}/reissue", {}, {}),
    ("issuance", "GET", "/v1/signing-keys/{key_id}/reissue"):
        lambda w: (f"/v1/signing-keys/{w.reissued_key()}/reissue", None, {}),
    ("issuance", "POST", "/v1/keys/{key_id}/rotation"): lambda w: (f"/v1/keys/{w.key_id()}/rotation", {}, {}),
    ("issuance", "POST", "/v1/keys/{key_id}/revocation"): lambda w: (f"/v1/keys/{w.key_id()}/revocation", {}, {}),
    ("issuance", "POST", "/v1/achievements/{achievement_id}/versions"): lambda w: (
        f"/v1/achievements/{w.achievement}/versions", DEFINITION, w.etag(f"/v1/achievements/{w.achievement}")),
    ("issuance", "POST", "/v1/achievements/{achievement_id}/versions/{number}/withdrawal"): lambda w: (
        f"/v1/achievements/{w.ledger.achievement(w.owner)}/versions/1/withdrawal", {}, {}),
    ("issuance", "GET", "/v1/achievements/{achievement_id}"): lambda w: (f"/v1/achievements/{w.achievement}", None, {}),
    ("issuance", "POST", "/v1/awards"): lambda w: (
        "/v1/awards", {"achievement_id": w.achievement, "learner": {"email": "fresh@learner.example"}}, {}),
    ("issuance", "GET", "/v1/awards/{award_id}"): lambda w: (f"/v1/awards/{w.award()}", None, {}),
    ("issuance", "POST", "/v1/awards/{award_id}/correction"): lambda w: (
        f"/v1/awards/{w.award()}/correction", {"changes": {"term": "Fall"}, "reason_code": "other"}, {}),
    ("issuance", "GET", "/v1/learners/{learner_id}"): lambda w: (f"/v1/learners/{w.learner()}", None, {}),
    ("issuance", "PUT", "/v1/learners/{learner_id}"): lambda w: (
        f"/v1/learners/{(learner := w.learner())}", {"identifiers": [{"kind": "student_id", "value": learner}]},
        w.etag(f"/v1/learners/{learner}")),
    ("issuance", "POST", "/v1/learners/{learner_id}/erasure"): lambda w: (
        f"/v1/learners/{w.ledger.award(w.owner, w.achievement, 'gone@learner.example')['learner_id']}/erasure", {}, {}),
    ("issuance", "POST", "/v1/results"): lambda w: (
        "/v1/results", {"achievement_id": w.achievement, "learner": {"email": "r@learner.example"}, "value": "1"}, {}),
    ("issuance", "GET", "/v1/results/{result_id}"): lambda w: (f"/v1/results/{w.result()}", None, {}),
    ("issuance", "POST", "/v1/results/{result_id}/correction"): lambda w: (
        f"/v1/results/{w.result()}/correction", {"value": "90"}, {}),
    ("issuance", "POST", "/v1/results/{result_id}/withdrawal"): lambda w: (
        f"/v1/results/{w.result()}/withdrawal", {}, {}),
    ("issuance", "POST", "/v1/mappings"): lambda w: ("/v1/mappings", w.map(), {}),
    ("issuance", "GET", "/v1/mappings/{mapping_id}"): lambda w: (f"/v1/mappings/{w.mapping()}", None, {}),
    ("issuance", "POST", "/v1/mappings/{mapping_id}/versions"): lambda w: (
        f"/v1/mappings/{(one := w.mapping())}/versions", w.map(), w.etag(f"/v1/mappings/{one}")),
    ("issuance", "POST", "/v1/mappings/{mapping_id}/withdrawal"): lambda w: (
        f"/v1/mappings/{w.mapping()}/withdrawal", {}, {}),
    ("issuance", "GET", "/v1/jobs/{job_id}"): lambda w: (f"/v1/jobs/{w.job()}", None, {}),
    ("issuance", "GET", "/v1/jobs/{job_id}/rows"): lambda w: (f"/v1/jobs/{w.job()}/rows", None, {}),
    ("issuance", "GET", "/v1/jobs/{job_id}/errors"): lambda w: (f"/v1/jobs/{w.job()}/errors", None, {}),
    ("issuance", "GET", "/v1/jobs/{job_id}/progress"): lambda w: (f"/v1/jobs/{w.job()}/progress", None, {}),
    ("issuance", "POST", "/v1/jobs/{job_id}/start"): lambda w: (f"/v1/jobs/{w.job()}/start", None, {}),
    ("issuance", "POST", "/v1/jobs/{job_id}/pause"): lambda w: (f"/v1/jobs/{w.job('running')}/pause", None, {}),
    ("issuance", "POST", "/v1/jobs/{job_id}/resumption"): lambda w: (
        f"/v1/jobs/{w.job('paused')}/resumption", None, {}),
    ("issuance", "POST", "/v1/jobs/{job_id}/cancellation"): lambda w: (f"/v1/jobs/{w.job()}/cancellation", None, {}),
    ("issuance", "POST", "/v1/jobs"): lambda w: (
        f"/v1/jobs?kind=awards&dry_run=true&achievement_id={w.achievement}", CLASS_LIST, {"content_type": "text/csv"}),
    ("issuance", "POST", "/v1/notices/{notice_id}/resend"): lambda w: (
        f"/v1/notices/{w.notice()['id']}/resend", {}, {}),
    ("issuance", "POST", "/v1/notices/bounces"): lambda w: (
        "/v1/notices/bounces", {"message": REPORT.replace("NOTICE", w.notice()["id"])}, {}),
    ("revocation", "POST", "/v1/awards/{award_id}/suspension"): lambda w: (
        f"/v1/awards/{w.award()}/suspension", {"reason_code": "under_review"}, {}),
    ("revocation", "POST", "/v1/awards/{award_id}/reinstatement"): lambda w: (
        f"/v1/awards/{w.suspended()}/reinstatement", {"reason_code": "review_cleared"}, {}),
    ("revocation", "POST", "/v1/awards/{award_id}/revocation"): lambda w: (
        f"/v1/awards/{w.award()}/revocation", CHANGE, {}),
    ("issuance", "GET", "/v1/approvals/{approval_id}"): lambda w: (f"/v1/approvals/{w.proposed()}", None, {}),
    ("issuance", "POST", "/v1/approvals/{approval_id}/approval"): lambda w: (
        f"/v1/approvals/{w.proposed()}/approval", None, {}),
    ("issuance", "POST", "/v1/approvals/{approval_id}/refusal"): lambda w: (
        f"/v1/approvals/{w.proposed()}/refusal", {"reason_code": "not_earned"}, {}),
    ("revocation", "GET", "/v1/approvals/{approval_id}"): lambda w: (
        f"/v1/approvals/{w.proposed_revocation()}", None, {}),
    ("revocation", "POST", "/v1/approvals/{approval_id}/approval"): lambda w: (
        f"/v1/approvals/{w.proposed_revocation()}/approval", None, {}),
    ("revocation", "POST", "/v1/approvals/{approval_id}/refusal"): lambda w: (
        f"/v1/approvals/{w.proposed_revocation()}/refusal", {"reason_code": "not_so"}, {}),
    ("revocation", "GET", "/v1/awards/{award_id}/standing"): lambda w: (f"/v1/awards/{w.award()}/standing", None, {}),
}  # fmt: skip
# What speaks of the caller alone: the stranger's own call must not show or touch anything of the owner.
OF_THE_CALLER: dict[Route, Callable[[World], Ask]] = {
    ("issuance", "GET", "/v1/profile"): lambda _: ("/v1/profile", None, {}),
    ("issuance", "GET", "/v1/keys"): lambda _: ("/v1/keys", None, {}),
    ("issuance", "POST", "/v1/keys"): lambda _: ("/v1/keys", {"name": "own"}, {}),
    ("issuance", "GET", "/v1/achievements"): lambda _: ("/v1/achievements?limit=200", None, {}),
    ("issuance", "POST", "/v1/achievements"): lambda _: ("/v1/achievements", DEFINITION, {}),
    ("issuance", "GET", "/v1/awards"): lambda _: ("/v1/awards?limit=200", None, {}),
    ("issuance", "GET", "/v1/jobs"): lambda _: ("/v1/jobs?limit=200", None, {}),
    ("issuance", "GET", "/v1/signing-keys"): lambda _: ("/v1/signing-keys", None, {}),
    ("issuance", "PUT", "/v1/signing-keys/schedule"): lambda _: ("/v1/signing-keys/schedule", {"every_days": 90}, {}),
    ("issuance", "POST", "/v1/signing-keys/rotation"): lambda _: ("/v1/signing-keys/rotation", None, {}),
    ("issuance", "PUT", "/v1/profile"): lambda w: ("/v1/profile", PROFILE, {"if_match": w.ledger.get(
        "issuance", "/v1/profile", key=w.stranger.api_key).headers["etag"]}),
    ("issuance", "GET", "/v1/results"): lambda _: ("/v1/results?limit=200", None, {}),
    ("issuance", "GET", "/v1/mappings"): lambda _: ("/v1/mappings?limit=200", None, {}),
    ("issuance", "GET", "/v1/notices"): lambda _: ("/v1/notices?limit=200", None, {}),
    ("issuance", "GET", "/v1/notice-settings"): lambda _: ("/v1/notice-settings", None, {}),
    ("issuance", "PUT", "/v1/notice-settings"): lambda _: ("/v1/notice-settings", {"language": "fr"}, {}),
    ("issuance", "GET", "/v1/notice-templates"): lambda _: ("/v1/notice-templates", None, {}),
    ("issuance", "PUT", "/v1/notice-templates/{kind}/{language}"): lambda _: (
        "/v1/notice-templates/awarded/en", TEXTS, {}),
    ("issuance", "POST", "/v1/notice-templates/{kind}/{language}/removal"): lambda w: (
        f"/v1/notice-templates/{w.own_text()}/removal", {}, {}),
    ("issuance", "PUT", "/v1/profile/policy"): lambda w: ("/v1/profile/policy", {"four_eyes": ["revocations"]}, {
        "if_match": w.ledger.get("issuance", "/v1/profile", key=w.stranger.api_key).headers["etag"]}),
    ("issuance", "GET", "/v1/profile/did-document"): lambda _: ("/v1/profile/did-document", None, {}),
    ("issuance", "GET", "/v1/approvals"): lambda _: ("/v1/approvals?limit=200", None, {}),
    ("revocation", "GET", "/v1/approvals"): lambda _: ("/v1/approvals?limit=200", None, {}),
    ("registry", "GET", "/v1/events"): lambda _: ("/v1/events?limit=100000", None, {}),
}  # fmt: skip
# What only the operator may do: an institution's key is refused.
OPERATORS: dict[Route, Callable[[World], Ask]] = {
    ("issuance", "GET", "/v1/institutions"): lambda _: ("/v1/institutions?limit=200", None, {}),
    ("issuance", "POST", "/v1/institutions"): lambda w: (
        "/v1/institutions",
        {"slug": f"made-{w.owner.slug}-{len(w.events())}", "name": "Made", "url": "https://made.example"}, {}),
    ("issuance", "GET", "/v1/institutions/{institution_id}"): lambda w: (f"/v1/institutions/{w.owner.id}", None, {}),
    ("issuance", "GET", "/v1/key-encryption/recipient"): lambda _: ("/v1/key-encryption/recipient", None, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/signing-key-exports"): lambda w: (
        f"/v1/institutions/{w.owner.id}/signing-key-exports", {"recipient": w.recipient()}, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/signing-key-imports"): lambda w: (
        f"/v1/institutions/{w.owner.id}/signing-key-imports", w.export(), {}),
    ("issuance", "GET", "/v1/key-encryption"): lambda _: ("/v1/key-encryption", None, {}),
    ("issuance", "POST", "/v1/key-encryption/rewrap"): lambda _: ("/v1/key-encryption/rewrap", None, {}),
    ("issuance", "POST", "/v1/erasures/reapplication"): lambda _: ("/v1/erasures/reapplication", None, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/suspension"): lambda w: (
        f"/v1/institutions/{w.owner.id}/suspension", TURN, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/reinstatement"): lambda w: (
        f"/v1/institutions/{w.owner.id}/reinstatement", TURN, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/renaming"): lambda w: (
        f"/v1/institutions/{w.owner.id}/renaming", {**TURN, "name": "Owner, renamed"}, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/closure"): lambda w: (
        f"/v1/institutions/{w.another('closed')}/closure", TURN, {}),
    ("issuance", "POST", "/v1/institutions/{institution_id}/merger"): lambda w: (
        f"/v1/institutions/{w.another('merged')}/merger", {**TURN, "into": w.successor()}, {}),
    ("issuance", "GET", "/v1/institutions/{institution_id}/did-document"): lambda w: (
        f"/v1/institutions/{w.owner.id}/did-document?did=did:web:badges.owner.example", None, {}),
}  # fmt: skip
# Judged by tests of their own, below and (the move, which needs a host to move to) in test_institutions.py.
ELSEWHERE: set[Route] = {
    ("issuance", "POST", "/v1/institutions/{institution_id}/move"),
    ("issuance", "POST", "/v1/sandbox"),  # tests/journeys/test_sandbox.py
    ("revocation", "POST", "/v1/standings/previews"),
    ("issuance", "POST", "/v1/notice-templates/previews"),
    ("revocation", "POST", "/v1/standings/changes"),
    ("issuance", "POST", "/v1/mappings/{mapping_id}/preview"),
    ("issuance", "POST", "/xapi/statements"),
    ("issuance", "PUT", "/xapi/statements"),
    ("issuance", "POST", "/v1/key-encryption/{ring}/epochs/{epoch}/destruction"),  # test_key_encryption.py
}


def guarded_routes() -> set[Route]:
    """Every route that needs a key, from the three applications themselves."""
    names = ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")
    environment = {"CREDLEDGER_DATABASE_URL": "postgresql://nowhere", **{f"CREDLEDGER_{n}": "00" * 32 for n in names}}
    return {
        (service, method, plan.template)
        for service, app in APPS.items()
        for plan in plans_of(app(Settings.from_environment(service, environment)))
        if plan.scope is not None
        for method in plan.methods
    }


@pytest.fixture(scope="module", params=["an institution", "the owner's sandbox", "the institution behind the sandbox"])
def world(ledger: Running, request: pytest.FixtureRequest) -> World:
    """Who the stranger is."""
    match request.param:
        case "an institution":
            owner, stranger = ledger.institution("the-owner"), ledger.institution("stranger")
        case "the owner's sandbox":
            owner = ledger.institution("owner-beside")
            stranger = owner.its_sandbox
        case _:
            stranger = ledger.institution("stranger-beside")
            owner = stranger.its_sandbox
    return World(ledger, owner, stranger, ledger.achievement(owner))


def ask(world: World, route: Route, asked: Ask, key: str) -> httpx.Response:
    path, body, headers = asked
    if isinstance(body, bytes):
        return world.ledger.send(route[1], route[0], path, body, key=key, **headers)
    return world.ledger.call(route[1], route[0], path, body, key=key, **headers)


def test_every_guarded_route_has_a_recipe_here() -> None:
    assert guarded_routes() == {*OWNED, *OF_THE_CALLER, *OPERATORS, *ELSEWHERE}


@pytest.mark.parametrize("route", OWNED, ids=" ".join)
def test_a_stranger_cannot_touch_what_the_owner_can(world: World, route: Route) -> None:
    asked = OWNED[route](world)
    world.settle()
    before, state = world.events(), world.state()

    refused = ask(world, route, asked, world.stranger.api_key)

    assert refused.status_code in REFUSED, refused.text
    assert world.owner.id not in refused.text
    assert (world.events(), world.state()) == (before, state)

    allowed = ask(world, route, asked, world.owner.api_key)
    assert allowed.is_success, allowed.text
    if route[1] != "GET":
        assert len(world.events()) > len(before)  # a state-changing route appends


@pytest.mark.parametrize("route", OF_THE_CALLER, ids=" ".join)
def test_a_strangers_own_calls_neither_show_nor_touch_the_owners(world: World, route: Route) -> None:
    world.award()
    before, asked = world.events(), OF_THE_CALLER[route](world)
    head = world.head()

    answer = ask(world, route, asked, world.stranger.api_key)

    assert answer.is_success, answer.text
    # Whose sandbox it is, a sandbox may tell.
    known = {world.owner.id} if world.stranger.id == ids.sandbox_of(world.owner.id) else set()
    for hidden in {world.owner.id, world.owner.slug, world.achievement} - known:
        assert f'"{hidden}"' not in answer.text
    assert world.events() == before
    assert (world.head() > head) is (route[1] != "GET")  # whatever changes state appends, whatever reads does not


@pytest.mark.parametrize("route", OPERATORS, ids=" ".join)
def test_only_the_operator_may(world: World, route: Route) -> None:
    asked = OPERATORS[route](world)
    before = world.events()

    refused = ask(world, route, asked, world.stranger.api_key)
    nobody = world.ledger.call(route[1], route[0], asked[0], asked[1])

    assert refused.status_code in REFUSED, refused.text
    assert nobody.status_code == 401
    assert world.events() == before
    head = world.head()
    assert ask(world, route, asked, world.ledger.operator).is_success
    assert (world.head() > head) is (route[1] != "GET")


def test_a_preview_of_anothers_awards_shows_nothing_of_them(world: World) -> None:
    mine, theirs = world.award(), {"change": "revoke", **CHANGE}
    answer = world.ledger.post("revocation", "/v1/standings/previews", {"award_ids": [mine], **theirs},
                               key=world.stranger.api_key)  # fmt: skip
    unknown = world.ledger.post("revocation", "/v1/standings/previews", {"award_ids": ["awd_" + "a" * 26], **theirs},
                                key=world.stranger.api_key)  # fmt: skip

    assert answer.status_code == unknown.status_code == 200
    said, nothing = answer.json(), unknown.json()
    assert said["data"][0] == {**nothing["data"][0], "award_id": mine}


def test_a_preview_of_a_notice_speaks_for_the_caller_alone(world: World) -> None:
    before, head = world.events(), world.head()

    answer = world.ledger.post("issuance", "/v1/notice-templates/previews", {}, key=world.stranger.api_key)

    assert answer.status_code == 200, answer.text
    for hidden in (world.owner.id, world.owner.slug, "Owner"):
        assert hidden not in answer.text
    assert (world.events(), world.head()) == (before, head)


def test_anothers_preview_cannot_be_carried_out(world: World) -> None:
    token = world.preview()["preview_token"]
    before = world.events()

    refused = world.ledger.post(
        "revocation", "/v1/standings/changes", {"preview_token": token}, key=world.stranger.api_key
    )
    assert not refused.is_success
    assert world.events() == before

    allowed = world.ledger.post(
        "revocation", "/v1/standings/changes", {"preview_token": token}, key=world.owner.api_key
    )
    assert allowed.is_success, allowed.text
    assert len(world.events()) > len(before)


def test_awarding_anothers_learner_is_like_awarding_a_stranger(world: World) -> None:
    theirs = world.ledger.achievement(world.stranger)
    known = world.ledger.award(world.owner, world.achievement, "shared@learner.example")

    shared = world.ledger.award(world.stranger, theirs, "shared@learner.example")
    fresh = world.ledger.award(world.stranger, theirs, "fresh@learner.example")

    assert shared["learner_id"] != known["learner_id"]
    assert shared.keys() == fresh.keys()


STATEMENT = {
    "actor": {"mbox": "mailto:ada@learner.example"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
    "object": {"id": "https://lms.owner.example/exam"},
}


def test_anothers_mapping_cannot_be_tried(world: World) -> None:
    path = f"/v1/mappings/{world.mapping()}/preview"

    refused = world.ledger.post("issuance", path, STATEMENT, key=world.stranger.api_key)
    allowed = world.ledger.post("issuance", path, STATEMENT, key=world.owner.api_key)

    assert refused.status_code == 404
    assert allowed.json()["result_count"] == 1, allowed.text


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_statement_meets_the_mappings_of_its_sender_alone(world: World, method: str) -> None:
    world.mapping()
    before, own = world.events(), str(uuid.uuid4())
    path = "/xapi/statements" if method == "POST" else f"/xapi/statements?statementId={own}"
    said = {"x_experience_api_version": "1.0.3"}

    theirs = world.ledger.call(method, "issuance", path, {**STATEMENT, "id": own}, key=world.stranger.api_key, **said)
    assert theirs.is_success, theirs.text
    assert theirs.headers["credledger-passed-by"] == "1"
    assert world.events() == before

    mine = world.ledger.call(method, "issuance", path, {**STATEMENT, "id": own}, key=world.owner.api_key, **said)
    assert mine.is_success, mine.text
    assert len(world.events()) > len(before)


def test_a_statement_of_another_is_not_voided(world: World) -> None:
    world.mapping()
    said = {"x_experience_api_version": "1.0.3"}
    sent = {**STATEMENT, "id": str(uuid.uuid4())}
    world.ledger.post("issuance", "/xapi/statements", sent, key=world.owner.api_key, **said)
    before = world.events()
    void = {
        **STATEMENT,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": sent["id"]},
    }

    answer = world.ledger.post("issuance", "/xapi/statements", void, key=world.stranger.api_key, **said)

    assert answer.headers["credledger-made"] == "0"
    assert world.events() == before
