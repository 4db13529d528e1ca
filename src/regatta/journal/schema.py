"""The tables: events (the truth), meta, and the projections folded from the events.

Money is a whole number of 10**-8 quote (`_e8`), prices and quantities whole ticks and lots; the
text columns beside them (`price`, `quantity`, ...) are exact decimals, NULL while the grid of
the instrument is unknown. Times are milliseconds since the Unix epoch, UTC (`_ms`). `seq` is
the number of the record that the row came from, or was last changed by.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

HEAD = "0001"
"""The migration that this version's tables are at."""

PROJECTIONS_VERSION = "1"
"""Changed whenever the fold changes: the projections are then rebuilt when the journal opens."""

metadata = MetaData()
Int64 = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _int(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Int64, nullable=null)


def _key(name: str, kind: object = Text) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False)  # type: ignore[arg-type]


events = Table(
    "events",
    metadata,
    _key("seq", Int64),
    _int("at_ms"),
    _text("kind"),
    _text("bot"),
    _text("body"),
    Column("hash", LargeBinary, nullable=False),
)

meta = Table("meta", metadata, _key("key"), _text("value"), sqlite_with_rowid=False)

bots = Table(
    "bots",
    metadata,
    _key("bot"),
    _int("registered_ms"),
    _text("mode"),
    _text("venue"),
    _text("strategy"),
    _int("initial_balance_e8"),
    _text("settings"),
    _int("seq"),
    sqlite_with_rowid=False,
)

settings_history = Table(
    "settings_history",
    metadata,
    _key("seq", Int64),
    _int("at_ms"),
    _text("bot"),
    _text("mode"),
    _text("venue"),
    _text("strategy"),
    _text("settings"),
)

bot_states = Table(
    "bot_states",
    metadata,
    _key("bot"),
    _text("state"),
    _text("by"),
    _int("at_ms"),
    _int("seq"),
    sqlite_with_rowid=False,
)

portfolios = Table(
    "portfolios",
    metadata,
    _key("bot"),
    _text("mode"),
    _text("quote", null=True),
    _int("initial_e8"),
    _int("realised_e8"),
    _int("fees_e8"),
    _int("funding_e8"),
    _int("balance_e8"),
    _int("equity_e8", null=True),
    _int("equity_ms", null=True),
    _int("trades"),
    _int("wins"),
    _int("losses"),
    _int("updated_ms"),
    _int("seq"),
    sqlite_with_rowid=False,
)

active_positions = Table(
    "active_positions",
    metadata,
    _key("bot"),
    _key("position_id"),
    _text("mode"),
    _text("symbol"),
    _text("quote", null=True),
    _text("side"),
    _int("lots"),
    _int("entry_ticks"),
    _int("cost_e8"),
    _int("fees_e8"),
    _int("funding_e8"),
    _int("realised_e8"),
    _int("opened_ms"),
    _int("stop_ticks", null=True),
    _int("target_ticks", null=True),
    _int("first_stop_ticks", null=True),
    _int("leverage"),
    _text("quantity", null=True),
    _text("entry_price", null=True),
    _text("stop_price", null=True),
    _text("target_price", null=True),
    _int("updated_ms"),
    _int("seq"),
    sqlite_with_rowid=False,
)

orders = Table(
    "orders",
    metadata,
    _key("bot"),
    _key("client_id"),
    _text("mode"),
    _text("symbol"),
    _text("side"),
    _text("kind"),
    _text("role"),
    _int("lots"),
    _text("position_id"),
    Column("reduce_only", Boolean, nullable=False),
    _int("price_ticks", null=True),
    _int("trigger_ticks", null=True),
    _int("decided_ticks", null=True),
    _text("reason"),
    _text("status"),
    _text("status_reason"),
    _text("venue_order_id"),
    _int("cancel_asked_ms", null=True),
    _int("filled_lots"),
    # Lots x ticks may leave 64 bits although the order's value does not: kept as text.
    _text("filled_lot_ticks"),
    _int("fees_e8"),
    _text("quantity", null=True),
    _text("filled_quantity", null=True),
    _text("price", null=True),
    _text("trigger_price", null=True),
    _text("average_price", null=True),
    _int("intended_ms"),
    _int("updated_ms"),
    _int("seq"),
    sqlite_with_rowid=False,
)
Index("ix_orders_intended", orders.c.intended_ms)
Index("ix_orders_position", orders.c.bot, orders.c.position_id)

fills = Table(
    "fills",
    metadata,
    _key("bot"),
    _key("fill_id"),
    _text("mode"),
    _text("client_id"),
    _text("position_id", null=True),
    _text("symbol"),
    _text("side"),
    _int("lots"),
    _int("price_ticks"),
    _int("fee_e8"),
    _text("liquidity"),
    _int("at_ms"),
    _text("quantity", null=True),
    _text("price", null=True),
    _int("seq"),
    sqlite_with_rowid=False,
)
Index("ix_fills_seq", fills.c.seq)
Index("ix_fills_position", fills.c.bot, fills.c.position_id)

trades = Table(
    "trades",
    metadata,
    _key("bot"),
    _key("trade_id"),
    _text("mode"),
    _text("symbol"),
    _text("quote", null=True),
    _text("side"),
    _int("lots"),
    _int("opened_ms"),
    _int("closed_ms"),
    _int("entry_ticks"),
    _int("exit_ticks"),
    _int("entry_cost_e8"),
    _int("exit_value_e8"),
    _int("fees_e8"),
    _int("funding_e8"),
    _int("pnl_e8"),
    _text("reason"),
    _int("balance_after_e8"),
    _int("first_stop_ticks", null=True),
    _int("risk_e8", null=True),
    _text("quantity", null=True),
    _text("entry_price", null=True),
    _text("exit_price", null=True),
    _int("seq"),
    sqlite_with_rowid=False,
)
Index("ix_trades_closed", trades.c.closed_ms)
Index("ix_trades_bot_closed", trades.c.bot, trades.c.closed_ms)

signals = Table(
    "signals",
    metadata,
    _key("seq", Int64),
    _int("at_ms"),
    _text("bot"),
    _text("mode"),
    _text("symbol"),
    _text("timeframe"),
    _int("close_ms"),
    _text("direction"),
    Column("score", Float, nullable=False),
    Column("price", Float, nullable=False),
    _text("checks"),
    _int("passed"),
    _int("evaluated"),
)
Index("ix_signals_bot", signals.c.bot, signals.c.seq)

decisions = Table(
    "decisions",
    metadata,
    _key("seq", Int64),
    _int("at_ms"),
    _text("bot"),
    _text("mode"),
    _text("symbol"),
    _int("close_ms"),
    _text("direction"),
    _text("action"),
    _text("reason"),
    _text("detail"),
    _text("client_id"),
)
Index("ix_decisions_bot", decisions.c.bot, decisions.c.seq)
Index("ix_decisions_client_id", decisions.c.client_id)

equity = Table(
    "equity",
    metadata,
    _key("seq", Int64),
    _text("bot"),
    _int("at_ms"),
    _int("balance_e8"),
    _int("equity_e8"),
)
Index("ix_equity_bot", equity.c.bot, equity.c.at_ms)

hold_counts = Table(
    "hold_counts",
    metadata,
    _key("bot"),
    _key("symbol"),
    _key("hour_ms", Int64),
    _key("reason"),
    _int("count"),
    _int("seq"),
    sqlite_with_rowid=False,
)

market_cursor = Table(
    "market_cursor",
    metadata,
    _key("feed"),
    _int("at_ms"),
    _text("phase"),
    _int("seq"),
    sqlite_with_rowid=False,
)

PROJECTIONS: dict[str, Table] = {
    table.name: table
    for table in (
        bots,
        settings_history,
        bot_states,
        portfolios,
        active_positions,
        orders,
        fills,
        trades,
        signals,
        decisions,
        equity,
        hold_counts,
        market_cursor,
    )
}
"""What `rebuild` drops and folds again, by name."""
