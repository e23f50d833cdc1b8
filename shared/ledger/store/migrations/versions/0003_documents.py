"""A document for each event that issues one: an award's own and its corrections'."""

from ledger.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("documents")


def downgrade() -> None:
    raise RuntimeError("a ledger's history is not taken down; restore a backup instead")
