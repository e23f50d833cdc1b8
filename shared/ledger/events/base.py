"""What every event type shares: a stable topic, a version, a public form, and for a few a public statement.

Rules. A topic never changes and never names a Python path. A version that was released stays readable for ever: a
newer one adds an upcast from the one before, beside the type. No field ever holds personal data: what is personal
travels beside the event as a sealed value (`ledger.codec`). `PRIVATE` fields stay inside (never on the bus, in the
feed or on a page); their defaults are what an outsider's copy shows.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

Data = dict[str, Any]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact. Subclasses are frozen, their fields non-personal, their times RFC 3339 in UTC."""

    TOPIC: ClassVar[str]
    VERSION: ClassVar[int] = 1
    PRIVATE: ClassVar[frozenset[str]] = frozenset()
    STATEMENT: ClassVar[bool] = False  # whether the log entry is the clear text (transparency-log §2, 0x02)

    @classmethod
    def upcast(cls, version: int, data: Data) -> Data:
        """`data` as written by `version`, in the shape of today's version."""
        if version != cls.VERSION:
            raise UnknownVersion(f"{cls.TOPIC} version {version} is not known here")
        return data

    def statement(self) -> Data:
        """The members of the public statement, beside its type; only for types with STATEMENT."""
        return to_data(self)


class UnknownTopic(Exception):
    """A stored topic that no event type claims: refused before anything could be imported by its name."""


class UnknownVersion(Exception):
    """An event was written by a later release than this one."""


def to_data(event: Event) -> Data:
    """The event's fields as JSON values; absent where they are at their default."""
    data: Data = msgspec.to_builtins(event)
    return data


def public_form(event: Event) -> Data:
    """The event's fields as outsiders see them."""
    return {name: value for name, value in to_data(event).items() if name not in type(event).PRIVATE}


def public_type(event_type: type[Event]) -> str:
    """The CloudEvents type, `org.credledger.<topic>.v<major>`."""
    return f"org.credledger.{event_type.TOPIC}.v{event_type.VERSION}"


def from_data(types: Mapping[str, type[Event]], topic: str, version: int, data: Data) -> Event:
    """The typed event behind stored fields. Raises UnknownTopic or UnknownVersion."""
    if topic not in types:
        raise UnknownTopic(f"no event type has the topic {topic!r}")
    event_type = types[topic]
    return msgspec.convert(event_type.upcast(version, data), event_type)
