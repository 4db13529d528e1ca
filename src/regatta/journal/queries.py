"""Reading the journal's tables, on connections of their own: no query ever blocks the writer.

Usable from any thread. Results are messages in domain words; money in 10**-8 quote, times in ms.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from regatta.domain.errors import BadInput, EnvironmentFault
from regatta.domain.order import Fill, Side
from regatta.domain.position import Position, Trade
from regatta.domain.signal import Check, Decision, Signal
from regatta.domain.timeframe import DAY_MS
from regatta.journal.database import engine_for, faults_of

Result = Literal["win", "loss", "even"]
Bots = str | Sequence[str] | None
"""One bot, several, or all."""
MAX_ROWS = 10_000


class TradeRow(msgspec.Struct, frozen=True):
    """A trade with its exact decimals. quantity in base units, prices in quote; None: instrument unknown."""

    seq: int
    trade: Trade
    quantity: Decimal | None
    entry_price: Decimal | None
    exit_price: Decimal | None


class TradeTotals(msgspec.Struct, frozen=True):
    """Sums over all trades that a filter lets through, whatever the page.

    best_e8, worst_e8: net PnL of the best and the worst one; None without trades.
    """

    trades: int
    wins: int
    losses: int
    pnl_e8: int
    fees_e8: int
    funding_e8: int
    best_e8: int | None
    worst_e8: int | None


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order with what became of it. price: of the level, or the one it was decided at.

    average_ticks: average price of its fills, in ticks; None while nothing is filled.
    """

    client_id: str
    bot: str
    symbol: str
    side: Side
    kind: str
    role: str
    reason: str
    status: str
    lots: int
    quantity: str
    filled_lots: int
    price: str
    price_ticks: int | None
    trigger_ticks: int | None
    average_ticks: float | None
    position_id: str
    venue_order_id: str
    intended_ms: int
    updated_ms: int
    refusal: str


class PositionRow(msgspec.Struct, frozen=True):
    """An open position with its exact decimals; None: instrument unknown."""

    position: Position
    quantity: Decimal | None
    entry_price: Decimal | None


class FillRow(msgspec.Struct, frozen=True):
    """A fill with its number in the journal."""

    seq: int
    fill: Fill


class PnlDay(msgspec.Struct, frozen=True):
    """What a bot's trades of one UTC day made; day_ms: its start."""

    bot: str
    day_ms: int
    trades: int
    pnl_e8: int


class HoldTotal(msgspec.Struct, frozen=True):
    """How often a bot held, by first failing check."""

    bot: str
    reason: str
    count: int


class EquityPoint(msgspec.Struct, frozen=True):
    """Balance and equity of a bot at a moment of market time."""

    seq: int
    at_ms: int
    balance_e8: int
    equity_e8: int


class DecisionRow(msgspec.Struct, frozen=True):
    """A decision with its number in the journal."""

    seq: int
    decision: Decision


class HoldCount(msgspec.Struct, frozen=True):
    """How often a bot held on a symbol in one hour, by first failing check."""

    bot: str
    symbol: str
    hour_ms: int
    reason: str
    count: int


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """The money of a bot: balance = initial + PnL of trades - what open positions have paid."""

    bot: str
    initial_e8: int
    balance_e8: int
    equity_e8: int
    fees_e8: int
    funding_e8: int
    pnl_e8: int
    trades: int
    updated_ms: int


class BotRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bot as it was last registered, with its last state."""

    bot: str
    mode: str
    venue: str
    strategy: str
    initial_balance_e8: int
    settings: str
    registered_ms: int
    state: str


class EventRow(msgspec.Struct, frozen=True):
    """A row of the journal as it stands there."""

    seq: int
    at_ms: int
    kind: str
    bot: str
    body: str


class Filter:
    """Conditions of a query, collected with their values."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._conditions: list[str] = []

    def add(self, condition: str, name: str, value: object) -> None:
        """Add a condition on `:name` unless the value is None."""
        if value is not None:
            self._conditions.append(condition)
            self.values[name] = value

    def of_bots(self, bots: Bots, column: str = "bot") -> None:
        """Let only rows of the named bot or bots through; None: all."""
        if bots is None:
            return
        names = [bots] if isinstance(bots, str) else list(bots)
        keys = [f"bot_{i}" for i in range(len(names))]
        self.also(f"{column} IN ({', '.join(':' + key for key in keys)})" if names else "1 = 0")
        self.values.update(zip(keys, names, strict=True))

    def also(self, condition: str) -> None:
        """Add a condition without a value."""
        self._conditions.append(condition)

    @property
    def where(self) -> str:
        """The WHERE clause, empty without conditions."""
        return f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""


SORTS = {
    "closed": "closed_ms",
    "opened": "opened_ms",
    "pnl": "pnl_e8",
    "symbol": "symbol",
    "bot": "bot",
    "pnl_pct": "pnl_e8 * 1.0 / entry_cost_e8",
    "fees": "fees_e8",
    "duration": "closed_ms - opened_ms",
}
"""By what trades can be sorted."""


class Reader:
    """The tables of one journal, to read."""

    def __init__(self, path: Path) -> None:
        """Raises EnvironmentFault when there is no journal at `path`."""
        if not path.is_file():
            raise EnvironmentFault(f"there is no journal at {path}; `regatta demo` or `regatta run` makes one")
        self._path = path
        self._engine = engine_for(path, read_only=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def _rows(self, text: str, values: dict[str, Any] | None = None) -> Sequence[sa.Row[Any]]:
        with faults_of(self._path, "reading the journal"), self._engine.connect() as connection:
            return connection.execute(sa.text(text), values or {}).all()

    # --- trades --------------------------------------------------------------------------

    def trade_page(
        self,
        *,
        bot: Bots = None,
        symbol: str | None = None,
        side: Side | None = None,
        result: Result | None = None,
        reason: str | None = None,
        trade_id: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
        sort: str = "closed",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[TradeRow], TradeTotals]:
        """Return closed trades and the sums over the whole filter, as of one moment.

        from_ms (inclusive) and to_ms (exclusive) are of the close.
        """
        if sort not in SORTS:
            raise BadInput(f"trades can't be sorted by {sort!r}; allowed: {', '.join(SORTS)}")
        chosen = _of_trades(bot, symbol, side, result, reason, trade_id, from_ms, to_ms)
        way = "DESC" if descending else "ASC"
        page = f"SELECT * FROM trades{chosen.where} ORDER BY {SORTS[sort]} {way}, seq {way} LIMIT :limit OFFSET :offset"
        sums = (
            "SELECT COUNT(*), COALESCE(SUM(pnl_e8 > 0), 0), COALESCE(SUM(pnl_e8 < 0), 0), COALESCE(SUM(pnl_e8), 0),"
            " COALESCE(SUM(fees_e8), 0), COALESCE(SUM(funding_e8), 0), MAX(pnl_e8), MIN(pnl_e8)"
            f" FROM trades{chosen.where}"
        )
        with faults_of(self._path, "reading the journal"), self._engine.connect() as connection:
            # One transaction: both see the same rows.
            rows = connection.execute(
                sa.text(page), {**chosen.values, "limit": min(limit, MAX_ROWS), "offset": offset}
            ).all()
            totals = connection.execute(sa.text(sums), chosen.values).one()
        return [_trade(row) for row in rows], TradeTotals(*tuple(totals))

    def trades(
        self,
        *,
        bot: Bots = None,
        symbol: str | None = None,
        side: Side | None = None,
        result: Result | None = None,
        reason: str | None = None,
        trade_id: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
        sort: str = "closed",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
    ) -> list[TradeRow]:
        """Return closed trades, as `trade_page` does."""
        return self.trade_page(
            bot=bot,
            symbol=symbol,
            side=side,
            result=result,
            reason=reason,
            trade_id=trade_id,
            from_ms=from_ms,
            to_ms=to_ms,
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
        )[0]

    def trade_totals(
        self,
        *,
        bot: Bots = None,
        symbol: str | None = None,
        side: Side | None = None,
        result: Result | None = None,
        reason: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> TradeTotals:
        """Return the sums over all trades that the filter lets through."""
        return self.trade_page(
            bot=bot, symbol=symbol, side=side, result=result, reason=reason, from_ms=from_ms, to_ms=to_ms, limit=0
        )[1]

    def pnl_by_day(self, bot: Bots = None, *, from_ms: int = 0) -> list[PnlDay]:
        """Return what the trades of each UTC day made, by bot and day; days without trades are left out."""
        chosen = Filter()
        chosen.of_bots(bot)
        chosen.add("closed_ms >= :from_ms", "from_ms", from_ms)
        rows = self._rows(
            f"SELECT bot, closed_ms / {DAY_MS} * {DAY_MS} AS day_ms, COUNT(*), SUM(pnl_e8) FROM trades{chosen.where}"
            " GROUP BY bot, day_ms ORDER BY bot, day_ms",
            chosen.values,
        )
        return [PnlDay(*tuple(row)) for row in rows]

    # --- orders, positions, decisions ----------------------------------------------------

    def orders(
        self,
        *,
        bot: Bots = None,
        symbol: str | None = None,
        status: str | None = None,
        position_id: str | None = None,
        open_only: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> list[OrderRow]:
        """Return orders, newest first."""
        chosen = _of_bot(bot, symbol)
        chosen.add("status = :status", "status", status)
        chosen.add("position_id = :position_id", "position_id", position_id)
        if open_only:
            chosen.also("status IN ('intended', 'working')")
        average = (
            "(SELECT SUM(f.price_ticks * f.lots) * 1.0 / SUM(f.lots) FROM fills f"
            " WHERE f.client_id = orders.client_id) AS average_ticks"
        )
        names = ", ".join(average if name == "average_ticks" else name for name in OrderRow.__struct_fields__)
        rows = self._rows(
            f"SELECT {names} FROM orders{chosen.where} ORDER BY intended_seq DESC LIMIT :limit OFFSET :offset",
            {**chosen.values, "limit": min(limit, MAX_ROWS), "offset": offset},
        )
        return [msgspec.convert(dict(row._mapping), OrderRow) for row in rows]

    def fills(
        self,
        *,
        bot: Bots = None,
        client_id: str | None = None,
        position_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[FillRow]:
        """Return fills, newest first."""
        chosen = _of_bot(bot, None)
        chosen.add("client_id = :client_id", "client_id", client_id)
        chosen.add(
            "client_id IN (SELECT o.client_id FROM orders o WHERE o.position_id = :position_id)",
            "position_id",
            position_id,
        )
        rows = self._rows(
            f"SELECT * FROM fills{chosen.where} ORDER BY seq DESC LIMIT :limit OFFSET :offset",
            {**chosen.values, "limit": min(limit, MAX_ROWS), "offset": offset},
        )
        return [FillRow(row.seq, _converted(row, Fill)) for row in rows]

    def positions(self, *, bot: Bots = None) -> list[PositionRow]:
        """Return open positions, oldest first."""
        chosen = _of_bot(bot, None)
        rows = self._rows(
            f"SELECT * FROM active_positions{chosen.where} ORDER BY opened_ms, position_id", chosen.values
        )
        return [
            PositionRow(
                _converted(row, Position),
                _decimal(row.quantity),
                _decimal(row.entry_price),
            )
            for row in rows
        ]

    def decisions(
        self,
        *,
        bot: Bots = None,
        symbol: str | None = None,
        action: str | None = None,
        client_id: str | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[DecisionRow]:
        """Return decisions with their signals and checks, newest first."""
        chosen = Filter()
        chosen.of_bots(bot, "d.bot")
        chosen.add("d.symbol = :symbol", "symbol", symbol)
        chosen.add("d.action = :action", "action", action)
        chosen.add("d.client_id = :client_id", "client_id", client_id)
        chosen.add("d.at_ms >= :from_ms", "from_ms", from_ms)
        chosen.add("d.at_ms < :to_ms", "to_ms", to_ms)
        rows = self._rows(
            "SELECT d.seq, d.action, d.reason, d.detail, d.client_id, s.bot, s.symbol, s.timeframe, s.close_ms,"
            " s.direction, s.score, s.price, s.checks FROM decisions d JOIN signals s ON s.seq = d.seq"
            f"{chosen.where} ORDER BY d.seq DESC LIMIT :limit OFFSET :offset",
            {**chosen.values, "limit": min(limit, MAX_ROWS), "offset": offset},
        )
        return [_decision(row) for row in rows]

    # --- money and counts ----------------------------------------------------------------

    def equity(self, bot: str, *, from_ms: int = 0, max_points: int = 1_000) -> list[EquityPoint]:
        """Return a bot's equity marks, oldest first, at most max_points of them (but never fewer than 4).

        Where there are more, the first and the last stay, and of each of many equal stretches the
        lowest and the highest: no drawdown is thinned away.
        """
        rows = self._rows(
            "WITH placed AS (SELECT seq, at_ms, balance_e8, equity_e8, ROW_NUMBER() OVER (ORDER BY seq) AS place,"
            "  COUNT(*) OVER () AS marks FROM equity WHERE bot = :bot AND at_ms >= :from_ms),"
            " ranked AS (SELECT *,"
            "  ROW_NUMBER() OVER (PARTITION BY (place - 1) * :stretches / marks ORDER BY equity_e8, place) AS low,"
            "  ROW_NUMBER() OVER (PARTITION BY (place - 1) * :stretches / marks ORDER BY equity_e8 DESC, place) AS high"
            "  FROM placed)"
            " SELECT seq, at_ms, balance_e8, equity_e8 FROM ranked"
            " WHERE marks <= :n OR place = 1 OR place = marks OR low = 1 OR high = 1 ORDER BY place",
            {"bot": bot, "from_ms": from_ms, "n": max_points, "stretches": max(1, (max_points - 2) // 2)},
        )
        return [EquityPoint(*tuple(row)) for row in rows]

    def portfolios(self) -> list[Portfolio]:
        """Return the money of every bot, by name."""
        names = ", ".join(Portfolio.__struct_fields__)
        rows = self._rows(f"SELECT {names} FROM portfolios ORDER BY bot")
        return [msgspec.convert(dict(row._mapping), Portfolio) for row in rows]

    def hold_counts(
        self, *, bot: Bots = None, symbol: str | None = None, from_ms: int | None = None
    ) -> list[HoldCount]:
        """Return the hold counts by hour, oldest first."""
        chosen = _of_bot(bot, symbol)
        chosen.add("hour_ms >= :from_ms", "from_ms", from_ms)
        rows = self._rows(
            f"SELECT bot, symbol, hour_ms, reason, holds FROM hold_counts{chosen.where}"
            " ORDER BY hour_ms, bot, symbol, reason",
            chosen.values,
        )
        return [HoldCount(*tuple(row)) for row in rows]

    def hold_totals(
        self, *, bot: Bots = None, symbol: str | None = None, from_ms: int | None = None
    ) -> list[HoldTotal]:
        """Return how often bots held, by bot and reason, most frequent first."""
        chosen = _of_bot(bot, symbol)
        chosen.add("hour_ms >= :from_ms", "from_ms", from_ms)
        rows = self._rows(
            f"SELECT bot, reason, SUM(holds) AS held FROM hold_counts{chosen.where} GROUP BY bot, reason"
            " ORDER BY held DESC, bot, reason",
            chosen.values,
        )
        return [HoldTotal(*tuple(row)) for row in rows]

    def bots(self) -> list[BotRow]:
        """Return every bot that was ever registered, by name."""
        rows = self._rows(
            "SELECT b.bot, b.mode, b.venue, b.strategy, b.initial_balance_e8, b.settings, b.registered_ms,"
            " COALESCE((SELECT state FROM bot_states s WHERE s.bot = b.bot ORDER BY seq DESC LIMIT 1), 'running')"
            " AS state FROM bots b ORDER BY b.bot"
        )
        return [msgspec.convert(dict(row._mapping), BotRow) for row in rows]

    def events(self, *, after: int = 0, limit: int = 100) -> list[EventRow]:
        """Return journal rows with a number above `after`, oldest first."""
        rows = self._rows(
            "SELECT seq, at_ms, kind, bot, body FROM events WHERE seq > :after ORDER BY seq LIMIT :limit",
            {"after": after, "limit": min(limit, MAX_ROWS)},
        )
        return [EventRow(*tuple(row)) for row in rows]


def _of_bot(bot: Bots, symbol: str | None) -> Filter:
    chosen = Filter()
    chosen.of_bots(bot)
    chosen.add("symbol = :symbol", "symbol", symbol)
    return chosen


RESULTS: dict[Result, str] = {"win": "pnl_e8 > 0", "loss": "pnl_e8 < 0", "even": "pnl_e8 = 0"}


def _of_trades(
    bot: Bots,
    symbol: str | None,
    side: Side | None,
    result: Result | None,
    reason: str | None,
    trade_id: str | None,
    from_ms: int | None,
    to_ms: int | None,
) -> Filter:
    chosen = _of_bot(bot, symbol)
    chosen.add("side = :side", "side", None if side is None else str(side))
    if result is not None:
        chosen.also(RESULTS[result])
    chosen.add("reason = :reason", "reason", reason)
    chosen.add("trade_id = :trade_id", "trade_id", trade_id)
    chosen.add("closed_ms >= :from_ms", "from_ms", from_ms)
    chosen.add("closed_ms < :to_ms", "to_ms", to_ms)
    return chosen


T = TypeVar("T", bound=msgspec.Struct)


def _converted(row: sa.Row[Any], kind: type[T]) -> T:
    return msgspec.convert({k: v for k, v in row._mapping.items() if k in kind.__struct_fields__}, kind)


def _trade(row: sa.Row[Any]) -> TradeRow:
    return TradeRow(
        row.seq,
        _converted(row, Trade),
        _decimal(row.quantity),
        _decimal(row.entry_price),
        _decimal(row.exit_price),
    )


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _decision(row: sa.Row[Any]) -> DecisionRow:
    signal = Signal(
        bot=row.bot,
        symbol=row.symbol,
        timeframe=row.timeframe,
        close_ms=row.close_ms,
        direction=row.direction,
        score=row.score,
        price=row.price,
        checks=msgspec.json.decode(row.checks, type=tuple[Check, ...]),
    )
    decision = Decision(signal=signal, action=row.action, reason=row.reason, detail=row.detail, client_id=row.client_id)
    return DecisionRow(row.seq, decision)
