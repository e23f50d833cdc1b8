"""How long what was erased may live on in backups: published, and in the log (DESIGN §5, erasure horizon)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger import ids
from ledger.codec import Actor, Fact, Recorded
from ledger.events import LEDGER_TENANT, PolicySet
from ledger.settings import Settings
from ledger.store import Store, Wish

STREAM = "ledger/policy"


def policy_of(settings: Settings) -> PolicySet:
    """The policy that these settings make."""
    rotation, retention = settings.kek_rotation_days, settings.backup_retention_days
    return PolicySet(
        kek_rotation_days=rotation, backup_retention_days=retention, erasure_horizon_days=rotation + retention
    )


def stated(policy: PolicySet, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The fact that this is the policy from now on; nothing when the last one says so."""
    return [] if history and history[-1].event == policy else [Fact(event=policy, at=at)]


async def state_policy(store: Store, settings: Settings) -> None:
    """Record the policy where the log says another, or none yet. For the registry, before it serves."""
    policy, version = policy_of(settings), len(await store.load(STREAM))
    wish = Wish(
        tenant=LEDGER_TENANT,
        command=ids.caused_command(settings.server_secret, "ledger.policy_set", f"{STREAM}/{version}"),
        actor=Actor(key=settings.service, role="service"),
    )
    at = datetime.now(UTC)
    await store.decide(STREAM, lambda history: stated(policy, history, at=at), wish=wish)
