"""Facts about mappings: how an institution reads what other systems send it. Category `job` (issuance)."""

from typing import Any, ClassVar

from ledger.events.base import Event


class MappingPublished(Event, frozen=True, kw_only=True):
    """A version of a mapping, immutable: what it makes names it. `definition` says which columns mean what and which
    items lead to which achievements; it holds no learner's data."""

    TOPIC: ClassVar[str] = "mapping.published"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"name", "definition"})

    mapping_version: int
    source: str
    name: str = ""
    definition: dict[str, Any] = {}


class MappingWithdrawn(Event, frozen=True, kw_only=True):
    """A mapping is used no longer; what it made stays."""

    TOPIC: ClassVar[str] = "mapping.withdrawn"

    reason_code: str


EVENTS: tuple[type[Event], ...] = (MappingPublished, MappingWithdrawn)
