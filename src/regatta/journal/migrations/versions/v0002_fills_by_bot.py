"""Fills are unique within a bot; views in exact decimals; indexes for the story of a trade."""

from alembic import op

revision = "0002"
down_revision = "0001"


def decimal(column: str) -> str:
    """Return SQL for an amount of 10**-8 as exact decimal text."""
    return (
        f"CASE WHEN {column} < 0 THEN '-' ELSE '' END || CAST(abs({column}) / 100000000 AS TEXT) || '.' || "
        f"substr(CAST(100000000 + abs({column}) % 100000000 AS TEXT), 2)"
    )


FILLS = """
    fill_id TEXT NOT NULL, client_id TEXT NOT NULL, bot TEXT NOT NULL, symbol TEXT NOT NULL,
    side TEXT NOT NULL, lots BIGINT NOT NULL, quantity TEXT NOT NULL, price_ticks BIGINT NOT NULL,
    price TEXT NOT NULL, fee_e8 BIGINT NOT NULL, liquidity TEXT NOT NULL, at_ms BIGINT NOT NULL,
    seq BIGINT NOT NULL, PRIMARY KEY (bot, fill_id)"""

STATEMENTS = (
    "ALTER TABLE fills RENAME TO fills_before",
    f"CREATE TABLE fills ({FILLS})",
    "INSERT INTO fills SELECT * FROM fills_before",
    "DROP TABLE fills_before",
    "CREATE INDEX fills_by_order ON fills (client_id)",
    "CREATE INDEX orders_by_position ON orders (position_id)",
    "CREATE INDEX decisions_by_order ON decisions (client_id)",
    "CREATE INDEX trades_by_close ON trades (closed_ms)",
    "DROP VIEW trades_journal",
    "DROP VIEW paper_portfolio",
    f"""CREATE VIEW trades_journal AS SELECT trade_id, bot, symbol, side, quantity, entry_price, exit_price,
        opened_ms, closed_ms, {decimal("fees_e8")} AS fees, {decimal("funding_e8")} AS funding,
        {decimal("pnl_e8")} AS pnl, reason, {decimal("balance_after_e8")} AS balance_after FROM trades""",
    f"""CREATE VIEW paper_portfolio AS SELECT bot, {decimal("initial_e8")} AS initial_balance,
        {decimal("balance_e8")} AS balance, {decimal("equity_e8")} AS equity, {decimal("pnl_e8")} AS pnl, trades
        FROM portfolios""",
)


def upgrade() -> None:
    """Change what is a projection; events stay as they are."""
    for statement in STATEMENTS:
        op.execute(statement)
