"""One sample of every event type, as rows were first released; `python -m tests.event_samples` prints their vectors.

A vector, once released, is frozen: a newer version of a type adds a sample and never changes an old one.
"""

import sys
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ledger import codec, events
from ledger.codec import Actor, Fact, Place
from ledger.events import Event, StatusEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT = "inst_aaaaaaaaaaaaaaaaaaaaaaaaaa"
DID = "did:web:localhost%3A8000:issuers:nova"
LIST = "sl_dddddddddddddddddddddddddd"
ENTRY = StatusEntry(LIST, "revocation", 94567)
STANDING = {
    "award_id": "awd_eeeeeeeeeeeeeeeeeeeeeeeeee",
    "reason_code": "issued_in_error",
    "effective": "2026-03-01T12:00:00Z",
    "authority": "Registrar",
    "entries": [ENTRY],
}
NOTICE = {
    "notice_id": "ntc_gggggggggggggggggggggggggg",
    "award_id": "awd_eeeeeeeeeeeeeeeeeeeeeeeeee",
    "kind": "awarded",
}
TURN = {"reason_code": "board_decision", "authority": "Ministry of Education"}
DOCUMENT = {
    "id": "http://localhost:8000/achievements/ach_b/versions/1",
    "type": ["Achievement"],
    "creditsAvailable": 2.5,
}
SAMPLES: list[Event] = [
    events.LedgerOpened(public_url="http://localhost:8000", status_url="http://localhost:8002"),
    events.KeyCreated(key_id="key_a", name="first key", role="institution", scopes=["awards:write"], secret_hash="ab"),
    events.KeyExpirySet(key_id="key_a", expires_at="2026-04-01T12:00:00Z"),
    events.KeyRevoked(key_id="key_a", reason_code="retired"),
    events.InstitutionCreated(slug="nova", did=DID, name="Nova Universität", url="https://nova.example"),
    events.InstitutionUpdated(name="Nova 新", url="https://nova.example", email="badges@nova.example"),
    events.InstitutionDeactivated(reason_code="unpaid"),
    events.InstitutionReactivated(reason_code="paid"),
    events.IssuerKeyChanged(
        issuer=DID,
        key_id="key_b",
        change="added",
        algorithm="Ed25519",
        public_key="z6Mk",
        effective="2026-03-01T12:00:00Z",
    ),
    events.AchievementPublished(achievement_version=1, document=DOCUMENT, details={"ects": "2.5"}),
    events.AchievementWithdrawn(achievement_version=1, reason_code="superseded"),
    events.Awarded(
        achievement_id="ach_b",
        achievement_version=1,
        profile_version=3,
        keys=["key_b", "key_c"],
        issued="2026-03-01T12:00:00Z",
        awarded_date="2026-02-28T00:00:00Z",
        valid_from="2026-03-01T12:00:00Z",
        status=[ENTRY],
    ),
    events.LearnerErased(reason_code="learner_request"),
    events.AwardRevoked(**STANDING),
    events.AwardSuspended(**STANDING),
    events.AwardReinstated(**STANDING),
    events.StatusListOpened(list_id=LIST, purpose="revocation", length=131072),
    events.StatusListPublished(list_id=LIST, purpose="revocation", digest="00" * 32, position=41),
    events.LeaseGranted(lists={"revocation": LIST}, first=1024, count=1024, holder="cafe"),
    events.ResultRecorded(
        achievement_id="ach_b",
        achievement_version=1,
        assessed_at="2026-02-28T00:00:00Z",
        result_description="http://localhost:8000/achievements/ach_b/versions/1#exam",
        source="moodle_csv",
        origin="org_ffffffffffffffffffffffffff",
        mapping="map_gggggggggggggggggggggggggg",
        mapping_version=2,
    ),
    events.ResultCorrected(reason_code="reassessed", assessed_at="2026-03-01T00:00:00Z"),
    events.ResultWithdrawn(reason_code="recorded_in_error"),
    events.MappingPublished(
        mapping_version=1, name="Data Basics from Moodle", source="moodle_csv", definition={"rules": [{"item": "Exam"}]}
    ),
    events.MappingWithdrawn(reason_code="superseded"),
    events.Awarded(
        achievement_id="ach_b",
        achievement_version=2,
        profile_version=3,
        keys=["key_b", "key_c"],
        issued="2026-03-01T12:00:00Z",
        awarded_date="2026-02-28T00:00:00Z",
        valid_from="2026-03-01T12:00:00Z",
        status=[ENTRY],
        renews="awd_eeeeeeeeeeeeeeeeeeeeeeeeee",
        renew_by="2029-02-28T00:00:00Z",
    ),
    events.AwardCorrected(
        achievement_id="ach_b",
        achievement_version=1,
        profile_version=4,
        keys=["key_d", "key_e"],
        issued="2026-03-02T12:00:00Z",
        awarded_date="2026-02-28T00:00:00Z",
        valid_from="2026-03-02T12:00:00Z",
        status=[StatusEntry(LIST, "revocation", 12)],
        reason_code="name_error",
        superseded=[ENTRY],
    ),
    events.LearnerUpdated(changed=["name", "email"]),
    events.PolicySet(kek_rotation_days=90, backup_retention_days=30, erasure_horizon_days=120),
    events.EpochBegun(ring="data", epoch=2, check="00" * 8),
    events.RewrapOrdered(epochs={"data": 2, "signing": 2}),
    events.Rewrapped(ring="data", epoch=2, rewrapped={"1": 40000}),
    events.EpochDestroyed(ring="data", epoch=1),
    events.ErasuresReapplied(listed=3, reapplied=1, unrecorded=1),
    events.JobCreated(kind="awards", form="csv", rows=30, dry_run=True, digest="ab", achievement_id="ach_b"),
    events.JobChecked(counts={"ready": 29, "refused": 1}),
    events.JobStarted(),
    events.JobPaused(),
    events.JobResumed(),
    events.JobCancelled(),
    events.JobCompleted(counts={"awarded": 29, "refused": 1}),
    events.NoticeSent(**NOTICE),
    events.NoticeFailed(**NOTICE, reason_code="refused", smtp_code=554),
    events.NoticeBounced(**NOTICE, status="5.1.1"),
    events.NoticeRequested(**NOTICE),
    events.NoticeSettingsSet(enabled=True, language="de", not_before="2026-03-01T12:00:00Z"),
    events.NoticeTemplateSet(kind="awarded", language="fr", subject="{achievement}", text="{greeting} {link}"),
    events.NoticeTemplateRemoved(kind="awarded", language="fr"),
    events.EmailProven(notice_id="ntc_gggggggggggggggggggggggggg"),
    events.LearnerJoined(person="per_hhhhhhhhhhhhhhhhhhhhhhhhhh"),
    events.PublicationSet(visibility="public"),
    events.KeyScheduleSet(every_days=90, starting="2026-06-01T03:00:00Z"),
    events.ReissueOrdered(key_id="key_b", reason_code="key_compromised", documents=40),
    events.ReissueCompleted(key_id="key_b", reissued=38, left_out=2),
    events.KeysExported(key_ids=["key_b", "key_c"], recipient="00" * 32),
    events.KeysImported(key_ids=["key_b", "key_c"]),
    events.InstitutionSuspended(**TURN),
    events.InstitutionReinstated(**TURN),
    events.InstitutionClosed(**TURN, successor="inst_" + "b" * 26),
    events.InstitutionMerged(**TURN, into="inst_" + "b" * 26),
    events.InstitutionRenamed(**TURN, name="Nova Tech", previous_name="Nova Universität"),
    events.InstitutionMoved(**TURN, did="did:web:badges.nova.example", previous_did=DID),
    events.InstitutionPolicySet(four_eyes=["awards", "revocations"]),
    events.AwardProposed(achievement_id="ach_b"),
    events.StandingProposed(
        award_id="awd_e", change="revoke", reason_code="issued_in_error", decides=TENANT, authority="Registrar"
    ),
    events.ApprovalGiven(approval_id="apr_g"),
    events.ApprovalRefused(approval_id="apr_g", reason_code="not_earned"),
    events.KeyScopesSet(key_id="key_a", scopes=["institutions:read", "institutions:write"]),
]


class Vector(msgspec.Struct):
    """A stored row, frozen: hex of `state` and `leaf`, and what the event is in its public form."""

    topic: str
    stream: str
    version: int
    state: str
    leaf: str
    public: dict[str, object]


def vector_of(number: int, event: Event) -> Vector:
    """The row that the first release wrote for this event at its number."""
    stream = f"sample/{number}"
    command = UUID(int=number)
    place = Place(
        tenant=TENANT, stream=stream, version=number, command=command, ordinal=0, actor=Actor("key_a", "institution")
    )
    personal = {"name": "Ada"} if event.TOPIC == "award.awarded" else {}
    digest = bytes(32) if personal else None
    fact = Fact(event=event, at=NOON, subject="lrn_f" if personal else None, personal=personal, document_digest=digest)
    row = codec.encode(fact, place, lambda size: bytes((number + i) % 256 for i in range(size)))
    return Vector(row.topic, stream, number, row.state.hex(), row.leaf.hex(), events.public_form(event))


def main() -> None:
    """Print every vector as JSON."""
    vectors = [vector_of(number, event) for number, event in enumerate(SAMPLES, 1)]
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(vectors), indent=1).decode() + "\n")


if __name__ == "__main__":
    main()
