"""The decision core of one bot: events in, records and commands out.

`on(event)` returns what the event led to, in order: decisions, commands (`PlaceOrder`,
`CancelOrder`) and the facts that follow (`PositionChanged`, `TradeClosed`). The shell journals
all of it before it carries out the commands. The bot never sees its own mode, reads no clock,
and is mutated by nothing but `on` and `restore`.

1. A round is decided once: exits first, then entries by score (highest first), then by symbol.
2. At most one position and one entry under way per symbol.
3. A slot is free again when the exit has filled, not when it was decided.
4. What opens a position brings its stop and its target in the same answer.
"""

from collections.abc import Mapping, Sequence
from math import inf

from regatta.bot.book import Book
from regatta.bot.client_id import bot_code, client_id
from regatta.bot.series import ENTER, ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, SymbolSeries
from regatta.domain.candle import Candle
from regatta.domain.events import (
    AnyRecord,
    BotStateChanged,
    CancelOrder,
    CandleClosed,
    CloseTimePassed,
    DecisionTaken,
    EndOfData,
    EquityMarked,
    FundingPaid,
    HoldsCounted,
    MarketEvent,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    PlaceOrder,
    PositionChanged,
    SeriesInterrupted,
    TradeClosed,
    VenueReport,
)
from regatta.domain.money import to_float
from regatta.domain.order import Order, OrderKind, OrderRole, Side
from regatta.domain.signal import Check, Decision, Direction, Signal
from regatta.risk.levels import stop_price, stop_ticks, target_ticks
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import REFUSALS, entry_lots

OUTPUT_OF: Mapping[Direction, int] = {
    "long": ENTER_LONG,
    "short": ENTER_SHORT,
    "exit_long": EXIT_LONG,
    "exit_short": EXIT_SHORT,
}

RUNNING, PAUSED, STOPPED, FAILED = "running", "paused", "stopped", "failed"
MARK_EVERY_MS = 15 * 60_000
"""Market time between two journaled marks of a bot's equity."""


class Bot:
    """One strategy with its parameters on a set of symbols, with books of its own."""

    def __init__(
        self,
        *,
        name: str,
        tag: str,
        timeframe: str,
        series: Mapping[str, SymbolSeries],
        rules: RiskRules,
        slippage: float,
        book: Book,
        outputs: Sequence[int] = (ENTER_LONG, EXIT_LONG),
        scored: bool = False,
    ) -> None:
        """Make a bot that trades every symbol of `series`.

        tag: the installation's four characters in client ids; slippage: assumed when sizing.
        outputs: bits that the strategy declares; scored: its rules have a column "score".
        """
        self.name = name
        self.timeframe = timeframe
        self.book = book
        self.rules = rules
        self.outputs = tuple(outputs)
        self.state = RUNNING
        self.last_error = ""
        self.marks: dict[str, float] = {}
        self.hold_totals: dict[str, int] = {}
        self._tag = tag
        self._code = bot_code(name)
        self._slippage = slippage
        self._scored = scored
        # A hold is explained by the entry that the strategy could have made.
        self._entry = next(bit for bit in self.outputs if bit & ENTER)
        self._series = dict(sorted(series.items()))
        self._seen = dict.fromkeys(self._series, 0)
        self._round: dict[str, int] = {}
        self._round_ms = 0
        self._decided_ms = 0
        self._marked_ms = 0
        self._answered: list[PlaceOrder | CancelOrder] = []
        self._holds: dict[str, dict[str, int]] = {symbol: {} for symbol in self._series}
        self._held_since_ms = 0

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols of the bot, sorted by name."""
        return tuple(self._series)

    # --- taking up again -----------------------------------------------------------------

    def restore(self, record: AnyRecord) -> None:
        """Apply a record of this bot from the journal, without answering it."""
        if isinstance(record, BotStateChanged):
            self.state = record.state
        elif isinstance(record, HoldsCounted):
            self._held_since_ms = record.at_ms
            for reasons in record.holds.values():
                for reason, count in reasons.items():
                    self.hold_totals[reason] = self.hold_totals.get(reason, 0) + count
        elif isinstance(record, DecisionTaken):
            self.book.signals += 1
        elif isinstance(record, EquityMarked):
            self._marked_ms = record.at_ms
        else:
            self.book.apply(record)

    def warmed(self, symbol: str, candles: int, close_ms: int, close: float) -> None:
        """Note that the symbol's series has taken `candles` of history, the last at close_ms."""
        self._seen[symbol] += candles
        self.marks[symbol] = close
        self._decided_ms = max(self._decided_ms, close_ms)
        self._held_since_ms = max(self._held_since_ms, close_ms)

    def series(self, symbol: str) -> SymbolSeries:
        """Return the series of a symbol of this bot (KeyError for others)."""
        return self._series[symbol]

    # --- events --------------------------------------------------------------------------

    def on(self, event: MarketEvent | VenueReport | BotStateChanged) -> Sequence[AnyRecord]:
        """Take one event; return the records and commands that it leads to, in order."""
        self._answered.clear()
        kind = type(event)
        if kind is CandleClosed:
            return self._candle(event.candle)  # type: ignore[union-attr]
        if kind is CloseTimePassed:
            return self._decide(event.close_ms) if event.timeframe == self.timeframe else ()  # type: ignore[union-attr]
        match event:
            case OrderFilled():
                return self._filled(event)
            case OrderAccepted():
                self.book.apply(event)
            case OrderRefused():
                return self._refused(event)
            case OrderCanceled():
                return self._canceled(event)
            case FundingPaid():
                self.book.apply(event)
                position = self.book.position(event.symbol)
                return [PositionChanged(at_ms=event.at_ms, bot=self.name, position=position)] if position else ()
            case SeriesInterrupted():
                if event.symbol in self._series:
                    self._series[event.symbol].reset()
            case BotStateChanged():
                if self.state == FAILED:
                    self._begin_again()
                self.state = event.state
                if event.state == STOPPED:
                    return self.cancel_entries(event.at_ms)
            case EndOfData():
                return self._end(event.close_ms)
            case _:
                pass
        return ()

    def abandon(self) -> None:
        """Take back the commands of an answer that was never given, because `on` raised."""
        for command in reversed(self._answered):
            self.book.take_back(command)
        self._answered.clear()

    def _begin_again(self) -> None:
        """Restart the warm-up after a failure: candles were missed, and a state may be half written."""
        for series in self._series.values():
            series.reset()
        self._round = {}
        self.last_error = ""

    def _candle(self, candle: Candle) -> Sequence[AnyRecord]:
        symbol = candle.symbol
        series = self._series.get(symbol)
        if series is None or candle.timeframe != self.timeframe:
            return ()
        close_ms = candle.close_ms
        records: Sequence[AnyRecord] = ()
        if self._round and close_ms > self._round_ms:
            # The open round is decided before anything of the next candle is known.
            records = self._decide(self._round_ms)
        signal = series.step(close_ms, candle.open, candle.high, candle.low, candle.close, candle.volume)
        self.marks[symbol] = candle.close
        seen = self._seen[symbol] = self._seen[symbol] + 1
        if seen <= self.rules.startup_candles:
            signal &= ~ENTER
        if close_ms <= self._decided_ms or (self._round and close_ms < self._round_ms):
            # Its round is over, or a later one has begun: it may exit, it may not enter.
            return [*records, *self._exits(close_ms, {symbol: signal})]
        self._round_ms = close_ms
        self._round[symbol] = signal
        if len(self._round) == len(self._series):
            return [*records, *self._decide(close_ms)]
        return records

    # --- the round -----------------------------------------------------------------------

    def _decide(self, close_ms: int) -> Sequence[AnyRecord]:
        """Decide the round of this close time, if it is still open."""
        if close_ms != self._round_ms or not self._round:
            return ()
        members, self._round = self._round, {}
        self._decided_ms = close_ms
        positions = self.book.positions
        records: list[AnyRecord] = []
        wanted = 0
        for symbol, signal in members.items():
            wanted |= signal
            if not signal:
                reason = "in_position" if symbol in positions else self._series[symbol].first_failing(self._entry)
                counts = self._holds[symbol]
                counts[reason] = counts.get(reason, 0) + 1
        if wanted:
            records.extend(self._exits(close_ms, members))
            if wanted & ENTER:
                records.extend(self._entries(close_ms, members))
        if close_ms - self._marked_ms >= MARK_EVERY_MS:
            records.append(self._mark(close_ms))
        return records

    def _exits(self, close_ms: int, members: Mapping[str, int]) -> list[AnyRecord]:
        records: list[AnyRecord] = []
        for symbol in sorted(members):
            position = self.book.positions.get(symbol)
            if position is None or self.book.working(symbol, OrderRole.EXIT):
                continue
            bit = EXIT_LONG if position.side is Side.BUY else EXIT_SHORT
            if members[symbol] & bit:
                direction: Direction = "exit_long" if bit == EXIT_LONG else "exit_short"
                order = self._exit_order(symbol, "signal")
                signal = self._signal(symbol, close_ms, direction)
                decision = Decision(signal=signal, action="exit", client_id=order.client_id)
                records.append(self._decided(decision))
                records.append(self._place(order, close_ms))
        return records

    def _entries(self, close_ms: int, members: Mapping[str, int]) -> list[AnyRecord]:
        records: list[AnyRecord] = []
        candidates = [(-self._score(symbol), symbol, bits) for symbol, bits in members.items() if bits & ENTER]
        candidates.sort()
        book = self.book
        for _, symbol, bits in candidates:
            sign = 1 if bits & ENTER_LONG else -1
            direction: Direction = "long" if sign > 0 else "short"
            signal = self._signal(symbol, close_ms, direction)
            reason, detail = self._refusal(symbol)
            if not reason:
                lots = self._lots(symbol, sign)
                if lots <= 0:
                    reason, detail = REFUSALS[lots], self._size_detail(symbol)
            if reason:
                records.append(self._decided(Decision(signal=signal, action="held_back", reason=reason, detail=detail)))
                continue
            number = book.intended + 1
            order = Order(
                client_id=client_id(self._tag, self._code, number),
                bot=self.name,
                symbol=symbol,
                side=Side.BUY if sign > 0 else Side.SELL,
                kind=OrderKind.MARKET,
                role=OrderRole.ENTRY,
                lots=lots,
                position_id=f"{self.name}-{number}",
                decided_ticks=book.instruments[symbol].ticks(self.marks[symbol]),
            )
            records.append(self._decided(Decision(signal=signal, action="enter", client_id=order.client_id)))
            records.append(self._place(order, close_ms))
        return records

    def _refusal(self, symbol: str) -> tuple[str, str]:
        """Return why no entry is allowed now, as (reason, detail); two empty texts when it is."""
        book = self.book
        if symbol in book.positions or book.has_entry(symbol):
            return "in_position", "one position per symbol"
        if self.state != RUNNING:
            return self.state, f"the bot is {self.state}"
        if (occupied := book.occupied()) >= self.rules.max_positions:
            return "max_positions", f"{occupied} of {self.rules.max_positions} positions are taken"
        return "", ""

    def _lots(self, symbol: str, sign: int) -> int:
        rules = self.rules
        instrument = self.book.instruments[symbol]
        price = self.marks[symbol]
        equity = self.book.equity_e8(self.marks)
        return entry_lots(
            rules.sizing,
            rules.amount,
            to_float(equity),
            to_float(equity - self.book.bound_e8()),
            price,
            stop_price(sign, price, rules.stop) if rules.stop < inf else 0.0,
            rules.allocation,
            float(rules.leverage),
            rules.tradable,
            rules.max_notional,
            to_float(instrument.taker_fee_e8),
            self._slippage,
            instrument.lot[0],
            instrument.lot[1],
            instrument.min_lots,
            float(instrument.min_notional),
        )

    def _size_detail(self, symbol: str) -> str:
        instrument = self.book.instruments[symbol]
        free = to_float(self.book.equity_e8(self.marks) - self.book.bound_e8())
        return (
            f"free {free:.2f} {instrument.quote}; smallest order {instrument.min_quantity} "
            f"and {instrument.min_notional} {instrument.quote}"
        )

    # --- orders and fills ----------------------------------------------------------------

    def _place(self, order: Order, at_ms: int) -> PlaceOrder:
        command = PlaceOrder(at_ms=at_ms, bot=self.name, order=order)
        self.book.apply(command)
        self._answered.append(command)
        return command

    def _cancel(self, order: Order, at_ms: int) -> CancelOrder:
        command = CancelOrder(at_ms=at_ms, bot=self.name, client_id=order.client_id, symbol=order.symbol)
        self.book.apply(command)
        self._answered.append(command)
        return command

    def _exit_order(self, symbol: str, reason: str) -> Order:
        position = self.book.positions[symbol]
        return Order(
            client_id=client_id(self._tag, self._code, self.book.intended + 1),
            bot=self.name,
            symbol=symbol,
            side=position.side.opposite,
            kind=OrderKind.MARKET,
            role=OrderRole.EXIT,
            lots=position.lots,
            position_id=position.position_id,
            reduce_only=True,
            decided_ticks=self.book.instruments[symbol].ticks(self.marks[symbol]),
            reason=reason,
        )

    def _filled(self, event: OrderFilled) -> Sequence[AnyRecord]:
        book, fill = self.book, event.fill
        before = book.positions.get(fill.symbol)
        entered = before.entered_lots if before is not None else 0
        working = book.orders.get(fill.client_id)
        ended = working.order if working is not None else None
        trade = book.apply(event)
        at_ms = event.at_ms
        if trade is not None:
            records: list[AnyRecord] = [TradeClosed(at_ms=at_ms, bot=self.name, trade=trade)]
            records.extend(self._cancel(o.order, at_ms) for o in book.orders.values() if o.order.symbol == fill.symbol)
            records.append(self._mark(at_ms))
            return records
        position = book.positions[fill.symbol]
        self.marks.setdefault(fill.symbol, book.instruments[fill.symbol].price(fill.price_ticks))
        records = []
        grew = position.entered_lots != entered
        if grew or (ended is not None and ended.role is OrderRole.TARGET):
            # New levels first, the old ones cancelled after them: never a moment unprotected.
            # While a stop or a market exit is being executed the rest of it is on its way.
            stale = [*book.working(fill.symbol, OrderRole.STOP), *book.working(fill.symbol, OrderRole.TARGET)]
            records.extend(self._protect(fill.symbol, at_ms))
            records.extend(self._cancel(order, at_ms) for order in stale)
        records.append(PositionChanged(at_ms=at_ms, bot=self.name, position=book.snapshot(position)))
        return records

    def _protect(self, symbol: str, at_ms: int) -> list[AnyRecord]:
        """Place stop and target for all lots of the symbol's position, anchored to its entry."""
        position = self.book.positions[symbol]
        instrument = self.book.instruments[symbol]
        sign, entry = position.side.sign, position.entry_ticks
        price = instrument.price(entry)
        records: list[AnyRecord] = []
        if self.rules.has_stop:
            level = stop_ticks(sign, entry, price, self.rules.stop, *instrument.tick)
            records.append(self._place(self._level_order(symbol, OrderRole.STOP, level), at_ms))
        if self.rules.has_target:
            level = target_ticks(sign, entry, price, self.rules.target, *instrument.tick)
            records.append(self._place(self._level_order(symbol, OrderRole.TARGET, level), at_ms))
        return records

    def _level_order(self, symbol: str, role: OrderRole, ticks: int) -> Order:
        position = self.book.positions[symbol]
        is_stop = role is OrderRole.STOP
        return Order(
            client_id=client_id(self._tag, self._code, self.book.intended + 1),
            bot=self.name,
            symbol=symbol,
            side=position.side.opposite,
            kind=OrderKind.STOP if is_stop else OrderKind.LIMIT,
            role=role,
            lots=position.lots,
            position_id=position.position_id,
            reduce_only=True,
            price_ticks=None if is_stop else ticks,
            trigger_ticks=ticks if is_stop else None,
        )

    def _refused(self, event: OrderRefused) -> Sequence[AnyRecord]:
        refused = self.book.orders.get(event.client_id)
        self.book.apply(event)
        if refused is None:
            return ()
        order = refused.order
        if order.reduce_only and order.symbol not in self.book.positions:
            return ()  # It came too late: what it was to close is closed.
        self.last_error = f"{order.symbol}: {order.role} refused by the venue: {event.reason}"
        if order.role is OrderRole.STOP and order.symbol in self.book.positions:
            # No position without a stop: what can't be protected is closed.
            return self.close(order.symbol, event.at_ms, "stop_refused")
        return ()

    def _canceled(self, event: OrderCanceled) -> Sequence[AnyRecord]:
        canceled = self.book.orders.get(event.client_id)
        self.book.apply(event)
        if canceled is None or event.reason == "requested":
            return ()
        symbol = canceled.order.symbol
        unprotected = symbol in self.book.positions and not self.book.working(symbol, OrderRole.STOP)
        level = canceled.order.trigger_ticks
        if canceled.order.role is OrderRole.STOP and unprotected and level is not None:
            return [self._place(self._level_order(symbol, OrderRole.STOP, level), event.at_ms)]
        return ()

    # --- by hand and at the end ----------------------------------------------------------

    def close(self, symbol: str, at_ms: int, reason: str = "manual") -> Sequence[AnyRecord]:
        """Close the open position of the symbol at market; nothing when flat or already closing."""
        if symbol not in self.book.positions or self.book.working(symbol, OrderRole.EXIT):
            return ()
        return [self._place(self._exit_order(symbol, reason), at_ms)]

    def cancel_entries(self, at_ms: int) -> Sequence[AnyRecord]:
        """Cancel every entry that has not filled yet."""
        return [self._cancel(o.order, at_ms) for o in self.book.orders.values() if o.order.role is OrderRole.ENTRY]

    def _end(self, close_ms: int) -> Sequence[AnyRecord]:
        records: list[AnyRecord] = list(self._decide(self._round_ms))
        records.extend(self.cancel_entries(close_ms))
        for symbol in sorted(self.book.positions):
            # An exit that was decided on the last close has no open to meet: it ends here too.
            records.extend(self._cancel(order, close_ms) for order in self.book.working(symbol, OrderRole.EXIT))
            records.append(self._place(self._exit_order(symbol, "end_of_data"), close_ms))
        return records

    # --- what is told about it -----------------------------------------------------------

    def take_holds(self, at_ms: int) -> HoldsCounted | None:
        """Return and forget the holds counted since the last call; None when there are none."""
        holds = {symbol: counts for symbol, counts in self._holds.items() if counts}
        if not holds:
            return None
        record = HoldsCounted(at_ms=at_ms, bot=self.name, from_ms=self._held_since_ms, holds=holds)
        for counts in holds.values():
            for reason, count in counts.items():
                self.hold_totals[reason] = self.hold_totals.get(reason, 0) + count
        for symbol in holds:
            self._holds[symbol] = {}
        self._held_since_ms = at_ms
        return record

    def holds(self) -> dict[str, int]:
        """Return how often the bot held, by first failing check, since it exists."""
        totals = dict(self.hold_totals)
        for counts in self._holds.values():
            for reason, count in counts.items():
                totals[reason] = totals.get(reason, 0) + count
        return totals

    def _decided(self, decision: Decision) -> DecisionTaken:
        self.book.signals += 1
        return DecisionTaken(at_ms=decision.signal.close_ms, bot=self.name, decision=decision)

    def _score(self, symbol: str) -> float:
        """Return the score of a signal: all checks of a boolean strategy's entry hold, so 100."""
        return self._series[symbol].column("score") if self._scored else 100.0

    def _signal(self, symbol: str, close_ms: int, direction: Direction) -> Signal:
        checks: tuple[Check, ...] = tuple(self._series[symbol].checks(OUTPUT_OF[direction]))
        return Signal(
            bot=self.name,
            symbol=symbol,
            timeframe=self.timeframe,
            close_ms=close_ms,
            direction=direction,
            score=self._score(symbol),
            price=self.marks[symbol],
            checks=checks,
        )

    def _mark(self, at_ms: int) -> EquityMarked:
        self._marked_ms = at_ms
        equity_e8 = self.book.equity_e8(self.marks)
        return EquityMarked(at_ms=at_ms, bot=self.name, balance_e8=self.book.balance_e8, equity_e8=equity_e8)
