"""What stays nobody's business: no log line holds a person, and who decided is sealed."""

import json
import secrets
from typing import Any

import httpx
import msgspec
from tests.journeys.routes import APPS
from tests.running import Running

Json = dict[str, Any]


def test_no_log_line_holds_a_person_a_capability_a_path_or_a_key(ledger: Running) -> None:
    with httpx.Client(timeout=30) as client:
        told = Told(ledger, client)
        told.journey()
        told.slips()
        told.verifications()

    for service in APPS:
        log = ledger.log(service)
        assert "/credentials/{name}" in ledger.log("registry")
        for what, value in told.values.items():
            assert value.lower() not in log.lower(), f"{what} in the log of {service}"
        for line in log.splitlines():
            assert "path" not in msgspec.json.decode(line)


class Told:
    """A journey with values that stand out, told to every service in every place that takes them."""

    def __init__(self, ledger: Running, client: httpx.Client) -> None:
        mark = secrets.token_hex(4)
        self.ledger, self.client = ledger, client
        self.institution = ledger.institution(f"logs-{mark}")
        self.values = {
            "an e-mail": f"zelda-{mark}@learner.example",
            "a name": f"Zelda Quickfoot{mark}",
            "a student id": f"stud-{mark}-77",
            "a DID": f"did:example:zelda{mark}",
            "a narrative": f"narrated{mark}",
            "evidence": f"https://evidence{mark}.example/work",
            "a reason": f"becauseof{mark}",
            "an agent": f"agent{mark}",
            "an API key": self.institution.api_key[-43:],
        }
        self.award: Json = {}

    def journey(self) -> None:
        ledger, values = self.ledger, self.values
        learner = {"email": values["an e-mail"], "name": values["a name"], "student_id": values["a student id"],
                   "did": values["a DID"]}  # fmt: skip
        evidence = [{"id": values["evidence"], "narrative": values["a narrative"]}]
        achievement = ledger.achievement(self.institution)
        key = self.institution.api_key
        self.award = ledger.award(self.institution, achievement, learner=learner, evidence=evidence,
                                  narrative=values["a narrative"])  # fmt: skip
        url = self.award["credential_url"]
        values["a capability"] = url.rpartition("/")[2]
        for accept in ("text/html", "application/vc", "application/vc+jwt", "video/mp4"):
            self.client.get(url, headers={"accept": accept, "user-agent": values["an agent"], "referer": url})
        for suffix in (".png", ".svg", ".json", ".exe"):
            self.client.get(url + suffix)
        ledger.get("issuance", f"/v1/awards/{self.award['id']}", key=key)
        change = {"reason_code": "other", "reason": values["a reason"]}
        for kind in ("suspension", "reinstatement", "revocation", "reinstatement"):
            ledger.post("revocation", f"/v1/awards/{self.award['id']}/{kind}", change, key=key)
        self.changes(key)
        ledger.post("issuance", f"/v1/learners/{self.award['learner_id']}/erasure", {}, key=key)
        self.client.get(url, headers={"accept": "text/html"})

    def changes(self, key: str) -> None:
        """What is corrected in a document, and in the record of the learner."""
        ledger, values = self.ledger, self.values
        again = ledger.achievement(self.institution, "Another")
        award = ledger.award(self.institution, again, learner={"email": values["an e-mail"]})
        correction = {
            "changes": {"learner": {"name": values["a name"]}, "narrative": values["a narrative"]},
            "reason_code": "name_error", "reason": values["a reason"],
        }  # fmt: skip
        corrected = ledger.post("issuance", f"/v1/awards/{award['id']}/correction", correction, key=key)
        assert corrected.is_success, corrected.text
        values["a new capability"] = corrected.json()["credential_id"]
        self.client.get(corrected.json()["credential_url"], headers={"accept": "text/html"})
        path = f"/v1/learners/{award['learner_id']}"
        named = [{"kind": "email", "value": values["an e-mail"]}, {"kind": "did", "value": values["a DID"]}]
        body = {"name": values["a name"], "identifiers": named}
        etag = ledger.get("issuance", path, key=key).headers["etag"]
        assert ledger.call("PUT", "issuance", path, body, key=key, if_match=etag).is_success

    def slips(self) -> None:
        """The same values in places where they do not belong."""
        ledger, key = self.ledger, self.institution.api_key
        for value in self.values.values():
            for service in APPS:
                url = ledger.url(service)
                self.client.get(f"{url}/nothing/{value}")
                self.client.get(f"{url}/problems", params={"q": value, value: "1"})
                self.client.get(f"{url}/problems/{value}")
                self.client.request("PURGE", f"{url}/{value}", content=value)
            body = {"achievement_id": value, "learner": {"email": "x@y.example", value: value}, value: [value]}
            ledger.post("issuance", "/v1/awards", body, key=key)
            ledger.post("issuance", "/v1/awards", body, key=f"cl_test_{'a' * 26}_{key[-43:]}")
            ledger.get("registry", f"/v1/achievements?q={value}")
            ledger.get("registry", f"/credentials/{value}")
            ledger.get("revocation", f"/status-lists/{value}")
            ledger.get("revocation", f"/v1/awards/{value}/standing", key=key)
            self.client.post(f"{ledger.url('issuance')}/v1/awards", content=f'{{"learner": "{value}',
                       headers={"authorization": f"Bearer {key}", "content-type": "application/json",
                                "idempotency-key": "slip-" + secrets.token_hex(4)})  # fmt: skip

    def verifications(self) -> None:
        recipient = {"email": self.values["an e-mail"], "name": self.values["a name"]}
        credential, url = self.award["credential"], self.award["credential_url"]
        document = {**credential, "name": self.values["a name"], "id": f"https://{self.values['an agent']}.example/x"}
        for given in ({"credential": credential}, {"credential": document}, {"url": url}, {"jwt": url},
                      {"url": f"https://{self.values['an agent']}.invalid/"}, {"image": "AAAA"}):  # fmt: skip
            self.ledger.post("registry", "/v1/verifications", {**given, "recipient": recipient})
        self.client.post(f"{self.ledger.url('registry')}/verify", data={"text": str(credential), "url": url})


def test_who_decided_is_sealed_beside_the_event_and_shown_nowhere(ledger: Running) -> None:
    institution = ledger.institution("decided-by")
    achievement = ledger.achievement(institution)
    body = {"achievement_id": achievement, "learner": {"email": "ada@learner.example"}}

    answer = ledger.post("issuance", "/v1/awards", body, key=institution.api_key, credledger_decided_by="staff-4711")
    bad = ledger.post("issuance", "/v1/awards", body, key=institution.api_key, credledger_decided_by="x" * 201)

    assert answer.status_code == 201, answer.text
    assert bad.status_code == 400
    award = answer.json()["id"]
    revoked = ledger.post("revocation", f"/v1/awards/{award}/revocation", {"reason_code": "other"},
                          key=institution.api_key, credledger_decided_by="staff-4711")  # fmt: skip
    assert revoked.status_code == 200, revoked.text
    history = ledger.get("registry", "/v1/events?limit=100000", key=ledger.operator).text
    assert "staff-4711" not in history + answer.text + revoked.text
    lines = [json.loads(line) for line in history.splitlines()]
    for line in (line for line in lines if award in line["stream"]):
        assert "person" in [committed["n"] for committed in line["envelope"]["pd"]]
