"""Every event type of the ledger, by topic. The catalogue in shared/README.md is generated from here."""

from ledger.events import awards, institutions, jobs, ledger, mappings, notices, results, standings, vault
from ledger.events.awards import (
    AchievementPublished,
    AchievementWithdrawn,
    AwardCorrected,
    Awarded,
    DocumentIssued,
    LearnerErased,
    LearnerUpdated,
    StatusEntry,
)
from ledger.events.base import Data, Event, UnknownTopic, UnknownVersion, from_data, public_form, public_type, to_data
from ledger.events.institutions import (
    InstitutionCreated,
    InstitutionDeactivated,
    InstitutionReactivated,
    InstitutionUpdated,
    IssuerKeyChanged,
    KeyScheduleSet,
    KeysExported,
    KeysImported,
    ReissueCompleted,
    ReissueOrdered,
)
from ledger.events.jobs import (
    JobCancelled,
    JobChecked,
    JobCompleted,
    JobCreated,
    JobPaused,
    JobResumed,
    JobStarted,
)
from ledger.events.ledger import KeyCreated, KeyExpirySet, KeyRevoked, LedgerOpened, PolicySet
from ledger.events.mappings import MappingPublished, MappingWithdrawn
from ledger.events.notices import (
    EmailProven,
    LearnerJoined,
    NoticeBounced,
    NoticeFailed,
    NoticeOutcome,
    NoticeRequested,
    NoticeSent,
    NoticeSettingsSet,
    NoticeTemplateRemoved,
    NoticeTemplateSet,
    PublicationSet,
)
from ledger.events.results import ResultCorrected, ResultRecorded, ResultWithdrawn
from ledger.events.standings import (
    AwardReinstated,
    AwardRevoked,
    AwardSuspended,
    LeaseGranted,
    StandingChanged,
    StatusListOpened,
    StatusListPublished,
)
from ledger.events.vault import EpochBegun, EpochDestroyed, ErasuresReapplied, RewrapOrdered, Rewrapped

EVENTS: dict[str, type[Event]] = {
    event_type.TOPIC: event_type
    for event_type in (
        *ledger.EVENTS,
        *institutions.EVENTS,
        *awards.EVENTS,
        *results.EVENTS,
        *mappings.EVENTS,
        *standings.EVENTS,
        *vault.EVENTS,
        *jobs.EVENTS,
        *notices.EVENTS,
    )
}

LEDGER_TENANT = "ledger"  # the reserved tenant of events that belong to no institution

__all__ = [
    "EVENTS",
    "LEDGER_TENANT",
    "AchievementPublished",
    "AchievementWithdrawn",
    "AwardCorrected",
    "AwardReinstated",
    "AwardRevoked",
    "AwardSuspended",
    "Awarded",
    "Data",
    "DocumentIssued",
    "EmailProven",
    "EpochBegun",
    "EpochDestroyed",
    "ErasuresReapplied",
    "Event",
    "InstitutionCreated",
    "InstitutionDeactivated",
    "InstitutionReactivated",
    "InstitutionUpdated",
    "IssuerKeyChanged",
    "JobCancelled",
    "JobChecked",
    "JobCompleted",
    "JobCreated",
    "JobPaused",
    "JobResumed",
    "JobStarted",
    "KeyCreated",
    "KeyExpirySet",
    "KeyRevoked",
    "KeyScheduleSet",
    "KeysExported",
    "KeysImported",
    "LearnerErased",
    "LearnerJoined",
    "LearnerUpdated",
    "LeaseGranted",
    "LedgerOpened",
    "MappingPublished",
    "MappingWithdrawn",
    "NoticeBounced",
    "NoticeFailed",
    "NoticeOutcome",
    "NoticeRequested",
    "NoticeSent",
    "NoticeSettingsSet",
    "NoticeTemplateRemoved",
    "NoticeTemplateSet",
    "PolicySet",
    "PublicationSet",
    "ReissueCompleted",
    "ReissueOrdered",
    "ResultCorrected",
    "ResultRecorded",
    "ResultWithdrawn",
    "RewrapOrdered",
    "Rewrapped",
    "StandingChanged",
    "StatusEntry",
    "StatusListOpened",
    "StatusListPublished",
    "UnknownTopic",
    "UnknownVersion",
    "from_data",
    "public_form",
    "public_type",
    "to_data",
]
