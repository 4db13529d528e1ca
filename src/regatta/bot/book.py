"""A bot's books: orders, positions and money, as the fold over its records.

1. Only `apply` changes the books, and it takes nothing but records of the journal: applying
   the same records again gives the same books.
2. balance = initial + sum of realised PnL - fees - funding, to the last 10**-8.
3. Each fill is booked once: a `fill_id` seen before changes nothing.
"""

from decimal import Decimal

from regatta.domain.events import (
    AnyRecord,
    CancelOrder,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    PlaceOrder,
)
from regatta.domain.instrument import Instrument
from regatta.domain.money import half_even, to_decimal
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, OrderStatus, Side
from regatta.domain.position import Position, Trade
from regatta.risk.margin import margin_e8, unrealised_e8


class OpenOrder:
    """An order that may still be filled."""

    __slots__ = ("cancel_asked", "filled_lots", "intended_ms", "order", "reserved_e8", "status")

    def __init__(self, order: Order, intended_ms: int, reserved_e8: int) -> None:
        self.order = order
        self.status = OrderStatus.INTENDED
        self.filled_lots = 0
        self.intended_ms = intended_ms
        self.reserved_e8 = reserved_e8
        self.cancel_asked = False


class OpenPosition:
    """A position under way. Entered and exited sums cover its whole life."""

    __slots__ = (
        "cost_e8",
        "entered_cost_e8",
        "entered_lots",
        "entry_ticks",
        "exited_lots",
        "exited_value_e8",
        "fees_e8",
        "funding_e8",
        "lots",
        "opened_ms",
        "position_id",
        "realised_e8",
        "side",
        "stop_ticks",
        "symbol",
        "target_ticks",
    )

    def __init__(self, position_id: str, symbol: str, side: Side, opened_ms: int) -> None:
        self.position_id = position_id
        self.symbol = symbol
        self.side = side
        self.opened_ms = opened_ms
        self.lots = 0
        self.entry_ticks = 0
        self.cost_e8 = 0
        self.fees_e8 = 0
        self.funding_e8 = 0
        self.realised_e8 = 0
        self.entered_lots = 0
        self.entered_cost_e8 = 0
        self.exited_lots = 0
        self.exited_value_e8 = 0
        self.stop_ticks: int | None = None
        self.target_ticks: int | None = None


class Book:
    """Orders, positions and money of one bot."""

    def __init__(self, bot: str, instruments: dict[str, Instrument], initial_e8: int, leverage: int = 1) -> None:
        self.bot = bot
        self.instruments = instruments
        self.initial_e8 = initial_e8
        self.balance_e8 = initial_e8
        self.leverage = leverage
        self.orders: dict[str, OpenOrder] = {}
        self.positions: dict[str, OpenPosition] = {}
        self.intended = 0
        self.trades = 0
        self.wins = 0
        self.losses = 0
        self.signals = 0
        self.realised_e8 = 0
        self.fees_e8 = 0
        self.funding_e8 = 0
        self._fills: set[str] = set()

    # --- the fold ------------------------------------------------------------------------

    def apply(self, record: AnyRecord) -> Trade | None:
        """Apply one record of this bot; return the trade that it completes, if any."""
        match record:
            case PlaceOrder():
                self._intend(record.order, record.at_ms)
            case OrderAccepted():
                if record.client_id in self.orders:
                    self.orders[record.client_id].status = OrderStatus.WORKING
            case CancelOrder():
                if record.client_id in self.orders:
                    self.orders[record.client_id].cancel_asked = True
            case OrderRefused() | OrderCanceled():
                self._drop(record.client_id)
            case OrderFilled():
                return self._fill(record.fill)
            case FundingPaid():
                self._fund(record)
            case _:
                pass
        return None

    def _intend(self, order: Order, at_ms: int) -> None:
        self.intended += 1
        reserved = 0
        if order.role is OrderRole.ENTRY:
            assert order.decided_ticks is not None, "an entry carries the price it was decided at"
            reserved = self.instruments[order.symbol].notional_e8(order.decided_ticks, order.lots)
        self.orders[order.client_id] = OpenOrder(order, at_ms, reserved)
        position = self.positions.get(order.symbol)
        if position is not None and position.position_id == order.position_id:
            if order.role is OrderRole.STOP:
                position.stop_ticks = order.trigger_ticks
            elif order.role is OrderRole.TARGET:
                position.target_ticks = order.price_ticks

    def take_back(self, command: PlaceOrder | CancelOrder) -> None:
        """Undo a command that was applied but never journaled. Newest first."""
        if isinstance(command, CancelOrder):
            if command.client_id in self.orders:
                self.orders[command.client_id].cancel_asked = False
        elif self.orders.pop(command.order.client_id, None) is not None:
            self.intended -= 1

    def _drop(self, client_id: str) -> None:
        self.orders.pop(client_id, None)

    def _fill(self, fill: Fill) -> Trade | None:
        if fill.fill_id in self._fills:
            return None
        self._fills.add(fill.fill_id)
        # A fill may arrive after the order was thought to be gone; it counts all the same.
        working = self.orders.get(fill.client_id)
        order = working.order if working is not None else None
        if working is not None:
            working.filled_lots += fill.lots
            if working.filled_lots >= working.order.lots:
                del self.orders[fill.client_id]
        instrument = self.instruments[fill.symbol]
        value = instrument.notional_e8(fill.price_ticks, fill.lots)
        self.balance_e8 -= fill.fee_e8
        self.fees_e8 += fill.fee_e8
        position = self.positions.get(fill.symbol)
        if position is None:
            position_id = order.position_id if order is not None else fill.client_id
            position = OpenPosition(position_id, fill.symbol, fill.side, fill.at_ms)
            self.positions[fill.symbol] = position
        position.fees_e8 += fill.fee_e8
        if fill.side is position.side:
            position.lots += fill.lots
            position.cost_e8 += value
            position.entered_lots += fill.lots
            position.entered_cost_e8 += value
            position.entry_ticks = average_ticks(position.entered_cost_e8, position.entered_lots, instrument)
            return None
        if fill.lots > position.lots:
            raise AssertionError(f"{self.bot} {fill.symbol}: fill of {fill.lots} lots closes more than {position.lots}")
        share = half_even(position.cost_e8 * fill.lots, position.lots)
        gained = position.side.sign * (value - share)
        self.balance_e8 += gained
        self.realised_e8 += gained
        position.realised_e8 += gained
        position.cost_e8 -= share
        position.lots -= fill.lots
        position.exited_lots += fill.lots
        position.exited_value_e8 += value
        if position.lots:
            return None
        return self._close(position, order, fill, instrument)

    def _close(self, position: OpenPosition, order: Order | None, fill: Fill, instrument: Instrument) -> Trade:
        del self.positions[position.symbol]
        pnl = position.realised_e8 - position.fees_e8 - position.funding_e8
        self.trades += 1
        self.wins += pnl > 0
        self.losses += pnl < 0
        return Trade(
            trade_id=position.position_id,
            bot=self.bot,
            symbol=position.symbol,
            side=position.side,
            lots=position.entered_lots,
            opened_ms=position.opened_ms,
            closed_ms=fill.at_ms,
            entry_ticks=position.entry_ticks,
            exit_ticks=average_ticks(position.exited_value_e8, position.exited_lots, instrument),
            entry_cost_e8=position.entered_cost_e8,
            exit_value_e8=position.exited_value_e8,
            fees_e8=position.fees_e8,
            funding_e8=position.funding_e8,
            pnl_e8=pnl,
            reason=exit_reason(order),
            balance_after_e8=self.balance_e8,
        )

    def _fund(self, record: FundingPaid) -> None:
        self.balance_e8 -= record.amount_e8
        self.funding_e8 += record.amount_e8
        position = self.positions.get(record.symbol)
        if position is not None:
            position.funding_e8 += record.amount_e8

    # --- what rules ask ------------------------------------------------------------------

    def occupied(self) -> int:
        """Return how many positions are open or about to be."""
        return len(self.positions) + sum(1 for o in self.orders.values() if self._opens(o))

    def _opens(self, order: OpenOrder) -> bool:
        return order.order.role is OrderRole.ENTRY and order.order.symbol not in self.positions

    def has_entry(self, symbol: str) -> bool:
        """Tell whether an entry of the symbol is under way."""
        return any(o.order.symbol == symbol and o.order.role is OrderRole.ENTRY for o in self.orders.values())

    def working(self, symbol: str, role: OrderRole) -> list[Order]:
        """Return the open orders of the symbol with this role."""
        return [o.order for o in self.orders.values() if o.order.symbol == symbol and o.order.role is role]

    def value_e8(self, symbol: str, price: float) -> int:
        """Return what the open position of the symbol is worth at a price."""
        instrument = self.instruments[symbol]
        return instrument.notional_e8(instrument.ticks(price), self.positions[symbol].lots)

    def equity_e8(self, marks: dict[str, float]) -> int:
        """Return balance plus unrealised PnL at the given last prices."""
        equity = self.balance_e8
        for symbol, position in self.positions.items():
            equity += unrealised_e8(position.side.sign, self.value_e8(symbol, marks[symbol]), position.cost_e8)
        return equity

    def bound_e8(self) -> int:
        """Return what positions and entries under way bind of the equity."""
        bound = sum(margin_e8(p.cost_e8, self.leverage) for p in self.positions.values())
        return bound + sum(margin_e8(o.reserved_e8, self.leverage) for o in self.orders.values() if self._opens(o))

    def position(self, symbol: str) -> Position | None:
        """Return the open position of the symbol as a message, None when flat."""
        open_ = self.positions.get(symbol)
        return None if open_ is None else self.snapshot(open_)

    def snapshot(self, position: OpenPosition) -> Position:
        """Return a position as a message."""
        return Position(
            position_id=position.position_id,
            bot=self.bot,
            symbol=position.symbol,
            side=position.side,
            lots=position.lots,
            entry_ticks=position.entry_ticks,
            cost_e8=position.cost_e8,
            fees_e8=position.fees_e8,
            funding_e8=position.funding_e8,
            realised_e8=position.realised_e8,
            opened_ms=position.opened_ms,
            stop_ticks=position.stop_ticks,
            target_ticks=position.target_ticks,
            leverage=self.leverage,
        )

    def ledger(self) -> dict[str, Decimal]:
        """Return the sums behind the balance, exact: initial + realised - fees - funding."""
        return {
            "initial": to_decimal(self.initial_e8),
            "realised": to_decimal(self.realised_e8),
            "fees": to_decimal(self.fees_e8),
            "funding": to_decimal(self.funding_e8),
            "balance": to_decimal(self.balance_e8),
        }


def average_ticks(value_e8: int, lots: int, instrument: Instrument) -> int:
    """Return the average price of `lots` worth `value_e8`, to the nearest tick."""
    num, den = instrument.unit
    return half_even(value_e8 * den, lots * num)


def exit_reason(order: Order | None) -> str:
    """Return why the position ended, from the order that closed it."""
    if order is None:
        return "unknown_order"
    if order.role is OrderRole.EXIT or order.kind is OrderKind.MARKET:
        return order.reason
    return str(order.role)
