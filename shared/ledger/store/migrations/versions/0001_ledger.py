"""The event store, the vault and the services' schemas."""

from ledger.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    for name in ("roles", "store", "vault", "log", "guard"):
        run_sql(name)


def downgrade() -> None:
    raise RuntimeError("a ledger's history is not taken down; restore a backup instead")
