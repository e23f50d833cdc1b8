"""Bulk jobs: their rows in the vault."""

from ledger.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql("jobs")


def downgrade() -> None:
    raise RuntimeError("a ledger's history is not taken down; restore a backup instead")
