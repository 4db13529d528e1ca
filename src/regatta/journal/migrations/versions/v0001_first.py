"""The first tables: events, meta, and their projections. What is written here never changes again."""

from alembic import op

revision = "0001"
down_revision = None

TABLES: dict[str, str] = {
    "events": """
        seq BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, kind TEXT NOT NULL, bot TEXT NOT NULL,
        body TEXT NOT NULL, hash TEXT NOT NULL""",
    "meta": "name TEXT PRIMARY KEY, value TEXT NOT NULL",
    "bots": """
        bot TEXT PRIMARY KEY, mode TEXT NOT NULL, venue TEXT NOT NULL, strategy TEXT NOT NULL,
        initial_balance_e8 BIGINT NOT NULL, settings TEXT NOT NULL, registered_ms BIGINT NOT NULL""",
    "settings_history": """
        seq BIGINT PRIMARY KEY, bot TEXT NOT NULL, at_ms BIGINT NOT NULL, settings TEXT NOT NULL""",
    "bot_states": """
        seq BIGINT PRIMARY KEY, bot TEXT NOT NULL, at_ms BIGINT NOT NULL, state TEXT NOT NULL,
        caused_by TEXT NOT NULL""",
    "signals": """
        seq BIGINT PRIMARY KEY, bot TEXT NOT NULL, symbol TEXT NOT NULL, timeframe TEXT NOT NULL,
        close_ms BIGINT NOT NULL, direction TEXT NOT NULL, score DOUBLE PRECISION NOT NULL,
        price DOUBLE PRECISION NOT NULL, checks TEXT NOT NULL""",
    "decisions": """
        seq BIGINT PRIMARY KEY, bot TEXT NOT NULL, symbol TEXT NOT NULL, at_ms BIGINT NOT NULL,
        action TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, client_id TEXT NOT NULL""",
    "orders": """
        client_id TEXT PRIMARY KEY, bot TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
        kind TEXT NOT NULL, role TEXT NOT NULL, reason TEXT NOT NULL, status TEXT NOT NULL,
        lots BIGINT NOT NULL, quantity TEXT NOT NULL, filled_lots BIGINT NOT NULL,
        price_ticks BIGINT, trigger_ticks BIGINT, decided_ticks BIGINT, price TEXT NOT NULL,
        position_id TEXT NOT NULL, venue_order_id TEXT NOT NULL, intended_seq BIGINT NOT NULL,
        intended_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, refusal TEXT NOT NULL""",
    "fills": """
        fill_id TEXT PRIMARY KEY, client_id TEXT NOT NULL, bot TEXT NOT NULL, symbol TEXT NOT NULL,
        side TEXT NOT NULL, lots BIGINT NOT NULL, quantity TEXT NOT NULL, price_ticks BIGINT NOT NULL,
        price TEXT NOT NULL, fee_e8 BIGINT NOT NULL, liquidity TEXT NOT NULL, at_ms BIGINT NOT NULL,
        seq BIGINT NOT NULL""",
    "active_positions": """
        position_id TEXT PRIMARY KEY, bot TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
        lots BIGINT NOT NULL, quantity TEXT NOT NULL, entry_ticks BIGINT NOT NULL,
        entry_price TEXT NOT NULL, cost_e8 BIGINT NOT NULL, fees_e8 BIGINT NOT NULL,
        funding_e8 BIGINT NOT NULL, realised_e8 BIGINT NOT NULL, opened_ms BIGINT NOT NULL,
        stop_ticks BIGINT, target_ticks BIGINT, leverage BIGINT NOT NULL""",
    "trades": """
        seq BIGINT PRIMARY KEY, trade_id TEXT NOT NULL UNIQUE, bot TEXT NOT NULL, symbol TEXT NOT NULL,
        side TEXT NOT NULL, lots BIGINT NOT NULL, quantity TEXT NOT NULL, opened_ms BIGINT NOT NULL,
        closed_ms BIGINT NOT NULL, entry_ticks BIGINT NOT NULL, exit_ticks BIGINT NOT NULL,
        entry_price TEXT NOT NULL, exit_price TEXT NOT NULL, entry_cost_e8 BIGINT NOT NULL,
        exit_value_e8 BIGINT NOT NULL, fees_e8 BIGINT NOT NULL, funding_e8 BIGINT NOT NULL,
        pnl_e8 BIGINT NOT NULL, reason TEXT NOT NULL, balance_after_e8 BIGINT NOT NULL""",
    "equity": """
        seq BIGINT PRIMARY KEY, bot TEXT NOT NULL, at_ms BIGINT NOT NULL, balance_e8 BIGINT NOT NULL,
        equity_e8 BIGINT NOT NULL""",
    "portfolios": """
        bot TEXT PRIMARY KEY, initial_e8 BIGINT NOT NULL, balance_e8 BIGINT NOT NULL,
        equity_e8 BIGINT NOT NULL, fees_e8 BIGINT NOT NULL, funding_e8 BIGINT NOT NULL,
        pnl_e8 BIGINT NOT NULL, trades BIGINT NOT NULL, updated_ms BIGINT NOT NULL""",
    "hold_counts": """
        bot TEXT NOT NULL, symbol TEXT NOT NULL, hour_ms BIGINT NOT NULL, reason TEXT NOT NULL,
        holds BIGINT NOT NULL, PRIMARY KEY (bot, symbol, hour_ms, reason)""",
    "market_cursor": """
        feed TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, step TEXT NOT NULL""",
}

INDEXES = (
    "CREATE INDEX trades_by_bot ON trades (bot, closed_ms)",
    "CREATE INDEX equity_by_bot ON equity (bot, at_ms)",
    "CREATE INDEX orders_by_bot ON orders (bot, intended_ms)",
    "CREATE INDEX decisions_by_bot ON decisions (bot, at_ms)",
    "CREATE INDEX signals_by_bot ON signals (bot, close_ms)",
)

VIEWS = (
    """CREATE VIEW trades_journal AS SELECT trade_id, bot, symbol, side, quantity, entry_price, exit_price,
        opened_ms, closed_ms, fees_e8 / 1e8 AS fees, funding_e8 / 1e8 AS funding, pnl_e8 / 1e8 AS pnl, reason
        FROM trades""",
    """CREATE VIEW paper_portfolio AS SELECT bot, initial_e8 / 1e8 AS initial_balance, balance_e8 / 1e8 AS balance,
        equity_e8 / 1e8 AS equity, pnl_e8 / 1e8 AS pnl, trades FROM portfolios""",
)


def upgrade() -> None:
    """Create everything."""
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
    for statement in (*INDEXES, *VIEWS):
        op.execute(statement)
