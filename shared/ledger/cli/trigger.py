"""`credledger trigger`: sample events in a sandbox, made as any client makes them, over HTTP.

Rules. A sample is whole: to revoke an award it first awards one, to an invented learner on `.example`. Each run makes
new events; only the achievement that samples award is published once and found again. A live key is refused before
anything is sent. Another sample is one more line in SAMPLES.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from ledger.cli.api import Api
from ledger.cli.failure import USAGE, Failure
from ledger.cli.options import AsJson, Key
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json, say_table

ACHIEVEMENT: Final = {
    "name": "Sample achievement",
    "description": "Made by credledger trigger, to try things out.",
    "criteria": {"narrative": "Nothing is asked: this is a sample."},
}
FIRST_ACHIEVEMENT_KEY: Final = "trigger-first-achievement-1"
NAMES: Final = ("Ada", "Bo", "Chidi", "Dilnoza", "Emeka", "Fatou", "Goran", "Hina")
ONLY_SANDBOXES: Final = (
    "Sample events are made in sandboxes only, and this key is a live one: give the cl_test_ key of the institution's "
    "sandbox."
)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was made, and what it is about."""

    type: str
    position: int
    achievement_id: str | None = None
    award_id: str | None = None
    learner_id: str | None = None
    credential_url: str | None = None


class Sandbox:
    """The sandbox behind a key: makes one event a call, and remembers it. Raises Failure."""

    def __init__(self, issuance: Api, revocation: Api, registry: Api) -> None:
        self._issuance, self._revocation, self._registry = issuance, revocation, registry
        self.events: list[Event] = []

    def published(self, *, key: str | None = None) -> str:
        """An achievement; with a `key` the one that this key made before."""
        made, replayed = self._issuance.told("/v1/achievements", ACHIEVEMENT, key=key)
        achievement: str = made["id"]
        if not replayed:
            position = self._registry.get(f"/v1/achievements/{achievement}")["position"]
            self._note("achievement.published", position, achievement_id=achievement)
        return achievement

    def awarded(self) -> Event:
        """An award of the samples' achievement to somebody invented."""
        name = secrets.choice(NAMES)
        learner = {"email": f"{name.lower()}.{secrets.token_hex(6)}@learners.example", "name": f"{name} Example"}
        achievement = self.published(key=FIRST_ACHIEVEMENT_KEY)
        made = self._issuance.post("/v1/awards", {"achievement_id": achievement, "learner": learner})
        return self._note(
            "award.awarded",
            made["position"],
            award_id=made["id"],
            learner_id=made["learner_id"],
            achievement_id=achievement,
            credential_url=made["credential_url"],
        )

    def suspended(self) -> Event:
        return self._changed(self.awarded(), "suspension", "under_review", "award.suspended")

    def reinstated(self) -> Event:
        return self._changed(self.suspended(), "reinstatement", "review_cleared", "award.reinstated")

    def revoked(self) -> Event:
        return self._changed(self.awarded(), "revocation", "issued_in_error", "award.revoked")

    def erased(self) -> Event:
        """A learner who was awarded, erased."""
        learner = self.awarded().learner_id
        made = self._issuance.post(f"/v1/learners/{learner}/erasure", {})
        return self._note("learner.erased", made["position"], learner_id=learner)

    def _changed(self, award: Event, change: str, reason: str, kind: str) -> Event:
        made = self._revocation.post(f"/v1/awards/{award.award_id}/{change}", {"reason_code": reason})
        return self._note(kind, made["position"], award_id=award.award_id)

    def _note(self, kind: str, position: int, **about: Any) -> Event:
        event = Event(type=kind, position=position, **about)
        self.events.append(event)
        return event


SAMPLES: Final[dict[str, tuple[Callable[[Sandbox], object], str]]] = {
    "achievement.published": (Sandbox.published, "a new achievement"),
    "award.awarded": (Sandbox.awarded, "an award to an invented learner"),
    "award.suspended": (Sandbox.suspended, "an award, suspended"),
    "award.reinstated": (Sandbox.reinstated, "an award, suspended and reinstated"),
    "award.revoked": (Sandbox.revoked, "an award, revoked"),
    "learner.erased": (Sandbox.erased, "an award whose learner is erased"),
}


def trigger(
    event_type: str | None = None,
    /,
    *,
    list_types: Annotated[bool, Parameter(name="--list", negative="", help="Which events can be made.")] = False,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make a sample event in a sandbox, with the sandbox's `cl_test_` key.

    Parameters
    ----------
    event_type: str
        Which one, such as award.awarded; `--list` names them.
    """
    if list_types or event_type is None:
        _say_types(json=json)
        return
    if event_type not in SAMPLES:
        raise Failure(f"No sample of {event_type!r} can be made: name one of {', '.join(SAMPLES)}.", USAGE)
    place = Place.here()
    own = place.institution_key(key)
    if own.startswith("cl_live_"):
        raise Failure(ONLY_SANDBOXES, USAGE)
    with (
        Api(place.address("issuance"), own) as issuance,
        Api(place.address("revocation"), own) as revocation,
        Api(place.address("registry")) as registry,
    ):
        profile = issuance.get("/v1/profile")
        if not profile.get("sandbox_of"):  # keys that were made before sandboxes may say what they like
            raise Failure(ONLY_SANDBOXES, USAGE)
        sandbox = Sandbox(issuance, revocation, registry)
        SAMPLES[event_type][0](sandbox)
    _say_events(str(profile["name"]), sandbox.events, json=json)


def _say_types(*, json: bool) -> None:
    found = [{"type": kind, "makes": text} for kind, (_, text) in SAMPLES.items()]
    if json:
        say_json({"data": found})
    else:
        say_table(found, ("type", "makes"))


def _say_events(name: str, events: Sequence[Event], *, json: bool) -> None:
    """Everything that was made, the asked one last."""
    if json:
        say_json({"test": True, **msgspec.to_builtins(events[-1]), "events": events})
        return
    say(f"TEST: in {name}", "bold")
    shown = ("type", "position", "award_id", "learner_id", "achievement_id")
    say_table([msgspec.to_builtins(event) for event in events], shown)
    for event in events:
        if event.credential_url and events[-1].type != "learner.erased":
            say(event.credential_url)
