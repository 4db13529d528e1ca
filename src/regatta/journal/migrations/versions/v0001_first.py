"""The first schema: events and their projections."""

from alembic import op

from regatta.journal.schema import INDEXES, TABLES, VIEWS

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    # While this is the only migration, the present schema is its own; the second one freezes it.
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
    for statement in (*INDEXES, *VIEWS):
        op.execute(statement)
