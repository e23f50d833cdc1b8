"""Keys by role, and who holds them: each role opens what it says, at every service, and no more."""

from typing import Any

import httpx
import pytest
from tests.journeys.problems import checked_problem
from tests.running import Institution, Running

HOLDERS = {"person": "Ada Registrar <ada@nova.example>", "system": "campus-sync"}
ROLES = ("owner", "issuer", "reviewer", "reader", "auditor")


class School:
    """An institution with an achievement, an award, and a key of each role."""

    def __init__(self, ledger: Running) -> None:
        self.ledger = ledger
        self.institution: Institution = ledger.institution("roles")
        self.achievement = ledger.achievement(self.institution)
        self.award = ledger.award(self.institution, self.achievement)["id"]
        self.made = {role: self.make(role) for role in ROLES}
        self._count = 0

    def make(self, role: str, **more: Any) -> Any:
        body = {"name": f"the {role}", "role": role, **more}
        answer = self.ledger.post("issuance", "/v1/keys", body, key=self.institution.api_key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def tries(self, key: str) -> dict[str, int]:
        """What each kind of request is answered with."""
        self._count += 1
        learner = {"email": f"roles-{self._count}@learner.example"}
        definition = {"name": "More", "description": "More.", "criteria": {"narrative": "Exam."}}
        asked = {
            "achievements": ("issuance", "/v1/achievements", definition),
            "awards": ("issuance", "/v1/awards", {"achievement_id": self.achievement, "learner": learner}),
            "keys": ("issuance", "/v1/keys", {"name": "another", "scopes": ["awards:read"]}),
            "standings": ("revocation", f"/v1/awards/{self.award}/suspension", {"reason_code": "under_review"}),
            "policy": ("issuance", "/v1/profile/policy", None),
        }
        found = {
            name: self.ledger.post(service, path, body, key=key).status_code
            for name, (service, path, body) in asked.items()
            if body is not None
        }
        policy = self.ledger.call("PUT", "issuance", "/v1/profile/policy", {"four_eyes": []}, key=key, if_match="*")
        found["policy"] = policy.status_code
        for name, (service, path) in {
            "read awards": ("issuance", "/v1/awards"),
            "read standings": ("revocation", f"/v1/awards/{self.award}/standing"),
            "read keys": ("issuance", "/v1/keys"),
            "audit": ("registry", "/v1/events?limit=1"),
        }.items():
            found[name] = self.ledger.get(service, path, key=key).status_code
        return found


@pytest.fixture(scope="module")
def school(ledger: Running) -> School:
    return School(ledger)


def opens(**may: bool) -> dict[str, int]:
    made = {"achievements": 201, "awards": 201, "keys": 201}
    asked = (*made, "standings", "policy", "read awards", "read standings", "read keys", "audit")
    return {name: made.get(name, 200) if may.get(name.replace(" ", "_"), False) else 403 for name in asked}


MAY = {
    "owner": opens(achievements=True, awards=True, keys=True, standings=True, policy=True, read_awards=True,
                   read_standings=True, read_keys=True, audit=True),
    "issuer": opens(achievements=True, awards=True, read_awards=True, read_standings=True),
    "reviewer": opens(standings=True, read_awards=True, read_standings=True),
    "reader": opens(read_awards=True, read_standings=True, read_keys=True),
    "auditor": opens(audit=True),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_a_key_opens_what_its_role_says_and_no_more(school: School, role: str) -> None:
    assert school.tries(school.made[role]["api_key"]) == MAY[role]


def test_an_institutions_auditor_reads_its_own_history_and_the_ledgers_auditor_everything(school: School) -> None:
    ledger = school.ledger
    body = {"name": "state auditor", "role": "auditor"}
    state = ledger.post("issuance", "/v1/keys", body, key=ledger.operator).json()["api_key"]

    def tenants(key: str) -> set[str]:
        lines = ledger.get("registry", "/v1/events?limit=100000", key=key).text.splitlines()
        return {httpx.Response(200, text=line).json()["envelope"]["inst"] for line in lines}

    assert tenants(school.made["auditor"]["api_key"]) == {school.institution.id}
    assert tenants(state) >= {school.institution.id, "ledger"}


def test_the_role_that_was_called_institution_is_the_owners(school: School) -> None:
    made = school.make("institution")
    first = school.ledger.get("issuance", "/v1/keys?limit=200", key=school.institution.api_key).json()["data"]

    assert made["role"] == "owner"
    assert {key["role"] for key in first if key["name"] == "first key"} == {"owner"}
    assert set(made["scopes"]) == set(school.made["owner"]["scopes"])


def test_a_role_holds_no_scope_of_another_and_no_key_makes_one_that_opens_more(school: School) -> None:
    ledger, owner = school.ledger, school.institution.api_key
    body = {"name": "too much", "role": "reader", "scopes": ["awards:read", "awards:write"]}
    refused = ledger.post("issuance", "/v1/keys", body, key=owner)
    weak = school.make("owner", scopes=["keys:write", "awards:read"])["api_key"]
    upward = ledger.post("issuance", "/v1/keys", {"name": "up", "role": "owner", "scopes": ["awards:write"]}, key=weak)
    operators = ledger.post("issuance", "/v1/keys", {"name": "up", "role": "operator"}, key=owner)

    assert [e["pointer"] for e in checked_problem(refused, 400, "malformed")["errors"]] == ["/scopes/1"]
    assert checked_problem(upward, 403, "forbidden")
    assert checked_problem(operators, 403, "forbidden")
    nobodys = ledger.post("issuance", "/v1/keys", {"name": "x", "role": "issuer"}, key=ledger.operator)
    assert checked_problem(nobodys, 403, "forbidden")


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_key_names_who_holds_it_to_its_own_institution_alone(school: School, kind: str) -> None:
    ledger, label = school.ledger, HOLDERS[kind]
    made = school.make("issuer", holder={"kind": kind, "label": label})
    path = f"/v1/keys/{made['id']}/rotation"
    heir = ledger.post("issuance", path, {}, key=school.institution.api_key).json()

    own = ledger.get("issuance", "/v1/keys?limit=200", key=school.institution.api_key).json()["data"]
    holders = [key["holder"] for key in own if key["id"] in (made["id"], heir["id"])]
    assert holders == [{"kind": kind, "label": label}] * 2
    others = {
        "operator": ledger.get("issuance", "/v1/keys?limit=200", key=ledger.operator).text,
        "events": ledger.get("registry", "/v1/events?limit=100000", key=ledger.operator).text,
        **{f"log of {service}": ledger.log(service) for service in ("issuance", "registry", "revocation")},
    }
    assert made["id"] in others["operator"]
    assert made["id"] in others["events"]
    for where, text in others.items():
        assert label not in text, where
        assert label.encode().hex() not in text, where
