"""What each record does to the tables: pure functions from a record to SQL statements.

State is the fold over the records: the same records in the same order give the same tables,
whether they are applied as they come or by a rebuild.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from regatta.domain.events import (
    AnyRecord,
    BotRegistered,
    BotStateChanged,
    DecisionTaken,
    EquityMarked,
    FundingPaid,
    HoldsCounted,
    MarketReached,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    PlaceOrder,
    PositionChanged,
    TradeClosed,
)
from regatta.domain.order import Order
from regatta.domain.position import Position, Trade
from regatta.domain.timeframe import HOUR_MS
from regatta.journal.grids import Grid, grids_in

Statement = tuple[str, dict[str, Any]]


class Projector:
    """Turns records into statements; remembers the grids that registrations name."""

    def __init__(self) -> None:
        self._grids: dict[tuple[str, str], Grid] = {}

    def learn(self, bot: str, settings: str) -> None:
        """Take over the grids in a bot's settings; symbols that they no longer name keep theirs."""
        for symbol, grid in grids_in(settings).items():
            self._grids[bot, symbol] = grid

    def statements(self, seq: int, record: AnyRecord) -> Iterator[Statement]:
        """Yield what the record changes, in order."""
        match record:
            case BotRegistered():
                yield from self._registered(seq, record)
            case PlaceOrder():
                yield self._order(seq, record.order, record.at_ms)
            case OrderAccepted():
                yield (
                    "UPDATE orders SET status = CASE WHEN status = 'intended' THEN 'working' ELSE status END,"
                    " venue_order_id = :venue_order_id, updated_ms = :at_ms WHERE client_id = :client_id",
                    {"venue_order_id": record.venue_order_id, "at_ms": record.at_ms, "client_id": record.client_id},
                )
            case OrderRefused():
                yield _ended(record.client_id, "refused", record.reason, record.at_ms)
            case OrderCanceled():
                yield _ended(record.client_id, "canceled", record.reason, record.at_ms)
            case OrderFilled():
                yield from self._filled(seq, record)
            case FundingPaid():
                yield (
                    "UPDATE portfolios SET funding_e8 = funding_e8 + :paid, balance_e8 = balance_e8 - :paid,"
                    " updated_ms = :at_ms WHERE bot = :bot",
                    {"paid": record.amount_e8, "at_ms": record.at_ms, "bot": record.bot},
                )
            case DecisionTaken():
                yield from _decided(seq, record)
            case PositionChanged():
                yield from self._position(record.position, record.at_ms)
            case TradeClosed():
                yield from self._trade(seq, record.trade)
            case EquityMarked():
                yield from _marked(seq, record)
            case HoldsCounted():
                yield from _held(record)
            case BotStateChanged():
                yield (
                    "INSERT INTO bot_states VALUES (:seq, :bot, :at_ms, :state, :caused_by)",
                    {"seq": seq, "bot": record.bot, "at_ms": record.at_ms, "state": record.state,
                     "caused_by": record.by},
                )  # fmt: skip
            case MarketReached():
                yield (
                    "INSERT INTO market_cursor VALUES (:feed, :at_ms, :step)"
                    " ON CONFLICT (feed) DO UPDATE SET at_ms = excluded.at_ms, step = excluded.step",
                    {"feed": record.feed, "at_ms": record.at_ms, "step": record.phase},
                )
            case _:
                return

    def _grid(self, bot: str, symbol: str) -> Grid | None:
        return self._grids.get((bot, symbol))

    def _price(self, bot: str, symbol: str, ticks: int | None) -> str:
        grid = self._grid(bot, symbol)
        return grid.price(ticks) if grid else ""

    def _quantity(self, bot: str, symbol: str, lots: int) -> str:
        grid = self._grid(bot, symbol)
        return grid.quantity(lots) if grid else ""

    def _registered(self, seq: int, record: BotRegistered) -> Iterator[Statement]:
        self.learn(record.bot, record.settings)
        values = {
            "seq": seq, "bot": record.bot, "mode": record.mode, "venue": record.venue, "strategy": record.strategy,
            "initial": record.initial_balance_e8, "settings": record.settings, "at_ms": record.at_ms,
        }  # fmt: skip
        yield (
            "INSERT INTO bots VALUES (:bot, :mode, :venue, :strategy, :initial, :settings, :at_ms)"
            " ON CONFLICT (bot) DO UPDATE SET mode = excluded.mode, venue = excluded.venue,"
            " strategy = excluded.strategy, settings = excluded.settings",
            values,
        )
        yield "INSERT INTO settings_history VALUES (:seq, :bot, :at_ms, :settings)", values
        yield (
            "INSERT INTO portfolios VALUES (:bot, :initial, :initial, :initial, 0, 0, 0, 0, :at_ms)"
            " ON CONFLICT (bot) DO NOTHING",
            values,
        )

    def _order(self, seq: int, order: Order, at_ms: int) -> Statement:
        level = order.trigger_ticks if order.price_ticks is None else order.price_ticks
        return (
            "INSERT INTO orders VALUES (:client_id, :bot, :symbol, :side, :kind, :role, :reason, 'intended', :lots,"
            " :quantity, 0, :price_ticks, :trigger_ticks, :decided_ticks, :price, :position_id, '', :seq, :at_ms,"
            " :at_ms, '')",
            {
                "client_id": order.client_id, "bot": order.bot, "symbol": order.symbol, "side": str(order.side),
                "kind": str(order.kind), "role": str(order.role), "reason": order.reason, "lots": order.lots,
                "quantity": self._quantity(order.bot, order.symbol, order.lots),
                "price_ticks": order.price_ticks, "trigger_ticks": order.trigger_ticks,
                "decided_ticks": order.decided_ticks,
                "price": self._price(order.bot, order.symbol, order.decided_ticks if level is None else level),
                "position_id": order.position_id, "seq": seq, "at_ms": at_ms,
            },
        )  # fmt: skip

    def _filled(self, seq: int, record: OrderFilled) -> Iterator[Statement]:
        fill = record.fill
        values = {
            "fill_id": fill.fill_id, "client_id": fill.client_id, "bot": fill.bot, "symbol": fill.symbol,
            "side": str(fill.side), "lots": fill.lots, "quantity": self._quantity(fill.bot, fill.symbol, fill.lots),
            "price_ticks": fill.price_ticks, "price": self._price(fill.bot, fill.symbol, fill.price_ticks),
            "fee": fill.fee_e8, "liquidity": fill.liquidity, "at_ms": fill.at_ms, "seq": seq,
        }  # fmt: skip
        # A fill that was reported twice is booked once: the balance moves only with a new row.
        fresh = "NOT EXISTS (SELECT 1 FROM fills WHERE bot = :bot AND fill_id = :fill_id)"
        yield (
            f"UPDATE orders SET filled_lots = filled_lots + :lots, updated_ms = :at_ms,"
            f" status = CASE WHEN filled_lots + :lots >= lots THEN 'filled' ELSE status END"
            f" WHERE client_id = :client_id AND {fresh}",
            values,
        )
        yield (
            f"UPDATE portfolios SET fees_e8 = fees_e8 + :fee, balance_e8 = balance_e8 - :fee, updated_ms = :at_ms"
            f" WHERE bot = :bot AND {fresh}",
            values,
        )
        yield (
            "INSERT INTO fills VALUES (:fill_id, :client_id, :bot, :symbol, :side, :lots, :quantity, :price_ticks,"
            " :price, :fee, :liquidity, :at_ms, :seq) ON CONFLICT (bot, fill_id) DO NOTHING",
            values,
        )

    def _position(self, position: Position, at_ms: int) -> Iterator[Statement]:
        # What a partial exit has realised is money in the balance before the trade is closed.
        yield (
            "UPDATE portfolios SET updated_ms = :at_ms, balance_e8 = balance_e8 + :realised_e8 - COALESCE("
            "(SELECT realised_e8 FROM active_positions WHERE position_id = :position_id), 0) WHERE bot = :bot",
            {
                "realised_e8": position.realised_e8, "position_id": position.position_id, "bot": position.bot,
                "at_ms": at_ms,
            },
        )  # fmt: skip
        columns = (
            "position_id", "bot", "symbol", "side", "lots", "quantity", "entry_ticks", "entry_price", "cost_e8",
            "fees_e8", "funding_e8", "realised_e8", "opened_ms", "stop_ticks", "target_ticks", "leverage",
        )  # fmt: skip
        values = msgspec.structs.asdict(position)
        values["side"] = str(position.side)
        values["quantity"] = self._quantity(position.bot, position.symbol, position.lots)
        values["entry_price"] = self._price(position.bot, position.symbol, position.entry_ticks)
        updates = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
        named = ", ".join(f":{name}" for name in columns)
        yield (
            f"INSERT INTO active_positions VALUES ({named}) ON CONFLICT (position_id) DO UPDATE SET {updates}",
            values,
        )

    def _trade(self, seq: int, trade: Trade) -> Iterator[Statement]:
        values = msgspec.structs.asdict(trade)
        values["side"] = str(trade.side)
        values["seq"] = seq
        values["quantity"] = self._quantity(trade.bot, trade.symbol, trade.lots)
        values["entry_price"] = self._price(trade.bot, trade.symbol, trade.entry_ticks)
        values["exit_price"] = self._price(trade.bot, trade.symbol, trade.exit_ticks)
        yield "DELETE FROM active_positions WHERE position_id = :trade_id", {"trade_id": trade.trade_id}
        yield (
            "INSERT INTO trades VALUES (:seq, :trade_id, :bot, :symbol, :side, :lots, :quantity, :opened_ms,"
            " :closed_ms, :entry_ticks, :exit_ticks, :entry_price, :exit_price, :entry_cost_e8, :exit_value_e8,"
            " :fees_e8, :funding_e8, :pnl_e8, :reason, :balance_after_e8)",
            values,
        )
        yield (
            "UPDATE portfolios SET balance_e8 = :balance_after_e8, pnl_e8 = pnl_e8 + :pnl_e8, trades = trades + 1,"
            " updated_ms = :closed_ms WHERE bot = :bot",
            values,
        )


def _ended(client_id: str, status: str, reason: str, at_ms: int) -> Statement:
    return (
        # What has ended stays ended, whatever report was overtaken on its way.
        "UPDATE orders SET status = :status, refusal = :reason, updated_ms = :at_ms"
        " WHERE client_id = :client_id AND status IN ('intended', 'working')",
        {"status": status, "reason": reason, "at_ms": at_ms, "client_id": client_id},
    )


def _decided(seq: int, record: DecisionTaken) -> Iterator[Statement]:
    decision = record.decision
    signal = decision.signal
    yield (
        "INSERT INTO signals VALUES (:seq, :bot, :symbol, :timeframe, :close_ms, :direction, :score, :price, :checks)",
        {
            "seq": seq, "bot": record.bot, "symbol": signal.symbol, "timeframe": signal.timeframe,
            "close_ms": signal.close_ms, "direction": signal.direction, "score": signal.score,
            "price": signal.price, "checks": msgspec.json.encode(signal.checks).decode(),
        },
    )  # fmt: skip
    yield (
        "INSERT INTO decisions VALUES (:seq, :bot, :symbol, :at_ms, :action, :reason, :detail, :client_id)",
        {
            "seq": seq, "bot": record.bot, "symbol": signal.symbol, "at_ms": record.at_ms,
            "action": decision.action, "reason": decision.reason, "detail": decision.detail,
            "client_id": decision.client_id,
        },
    )  # fmt: skip


def _marked(seq: int, record: EquityMarked) -> Iterator[Statement]:
    values = {
        "seq": seq, "bot": record.bot, "at_ms": record.at_ms, "balance": record.balance_e8,
        "equity": record.equity_e8,
    }  # fmt: skip
    yield "INSERT INTO equity VALUES (:seq, :bot, :at_ms, :balance, :equity)", values
    yield "UPDATE portfolios SET equity_e8 = :equity, updated_ms = :at_ms WHERE bot = :bot", values


def _held(record: HoldsCounted) -> Iterator[Statement]:
    hour_ms = record.at_ms - record.at_ms % HOUR_MS
    for symbol, reasons in record.holds.items():
        for reason, count in reasons.items():
            yield (
                "INSERT INTO hold_counts VALUES (:bot, :symbol, :hour_ms, :reason, :count)"
                " ON CONFLICT (bot, symbol, hour_ms, reason) DO UPDATE SET holds = hold_counts.holds + excluded.holds",
                {"bot": record.bot, "symbol": symbol, "hour_ms": hour_ms, "reason": reason, "count": count},
            )
