"""The simulated venue: takes orders, matches them against market events, reports what happened.

It knows orders and each bot's position, never a bot's money: that is the ledger's. It is fed
with the market's events in the order in which the engine gets them, and invents no prices:

1. `opened`: market orders meet the first price of a new candle, with slippage.
2. `match`: the stop that stood at the open is tested against the whole candle; when it is not
   touched, the nearest target alone is executed. Then limit entries.
3. `settle`: after the engine has let the bots answer, stops of positions whose target was just
   executed are tested once more, as that fill moved them.
4. `ended`: at the end of stored history what is still at market fills at the last close.

Fill ids are the client id and the lots filled so far, so that a restarted venue gives the same.
"""

from collections.abc import Mapping, Sequence

import msgspec

from regatta.domain.candle import Candle
from regatta.domain.events import (
    CandleOpened,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    VenueReport,
)
from regatta.domain.instrument import Instrument
from regatta.domain.money import fee_e8, floor_steps
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, Side
from regatta.sim.dice import Dice
from regatta.sim.matching import (
    market_fill_ticks,
    stop_fill_ticks,
    stop_touched,
    target_fill_ticks,
    target_touched,
)


class Frictions(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between a decision and a perfect fill.

    slippage: fraction against market and stop orders. participation: largest share of a
    candle's volume that one order gets (0: no limit); the rest waits for the next candle.
    split_probability: chance that a market order arrives in two fills at the same price.
    """

    slippage: float = 0.0002
    participation: float = 0.0
    split_probability: float = 0.0


class Resting:
    """An order that the venue holds."""

    __slots__ = ("filled", "order")

    def __init__(self, order: Order, filled: int) -> None:
        self.order = order
        self.filled = filled

    @property
    def open_lots(self) -> int:
        return self.order.lots - self.filled


class SimulatedVenue:
    """An exchange without a network: the engine's venue in backtest and virtual mode."""

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        frictions: Frictions | Mapping[str, Frictions],
        dice: Dice | None = None,
    ) -> None:
        """Make a venue with the same frictions for all bots, or with each bot's own (by name)."""
        self._name = name
        self._instruments = instruments
        self._common = frictions if isinstance(frictions, Frictions) else Frictions()
        self._own = {} if isinstance(frictions, Frictions) else dict(frictions)
        self._dice = dice or Dice(0)
        self._market: dict[str, list[Resting]] = {}
        self._resting: dict[str, list[Resting]] = {}
        self._known: set[str] = set()
        self._positions: dict[tuple[str, str], int] = {}
        self._volume: dict[str, float] = {}
        self._close: dict[str, float] = {}
        self._moved: set[tuple[str, str]] = set()

    # --- what the engine asks (domain.venue.Venue) ---------------------------------------

    @property
    def name(self) -> str:
        """Name of the venue that is simulated."""
        return self._name

    def instruments(self) -> Mapping[str, Instrument]:
        """Return what can be traded, by unified symbol."""
        return self._instruments

    async def place(self, order: Order, at_ms: int) -> Sequence[VenueReport]:
        """Take an order. A client id that is known already changes nothing."""
        return self.take(order, at_ms)

    async def cancel(self, client_id: str, symbol: str, at_ms: int) -> Sequence[VenueReport]:
        """Cancel an order; nothing is reported when it is gone already."""
        for book in (self._market, self._resting):
            for held in book.get(symbol, ()):
                if held.order.client_id == client_id:
                    self._remove(book, held)
                    return [
                        OrderCanceled(at_ms=at_ms, bot=held.order.bot, client_id=client_id, reason="requested"),
                    ]
        return ()

    async def open_orders(self) -> Sequence[Order]:
        """Return the orders that are held now."""
        return [h.order for book in (self._market, self._resting) for held in book.values() for h in held]

    # --- taking orders -------------------------------------------------------------------

    def take(self, order: Order, at_ms: int, filled: int = 0) -> Sequence[VenueReport]:
        """Take an order of which `filled` lots are executed already (after a restart)."""
        if order.client_id in self._known:
            return ()
        refusal = self._refusal(order)
        if refusal:
            return [OrderRefused(at_ms=at_ms, bot=order.bot, client_id=order.client_id, reason=refusal)]
        self._known.add(order.client_id)
        book = self._market if order.kind is OrderKind.MARKET else self._resting
        book.setdefault(order.symbol, []).append(Resting(order, filled))
        return [
            OrderAccepted(
                at_ms=at_ms, bot=order.bot, client_id=order.client_id, venue_order_id=f"sim-{order.client_id}"
            )
        ]

    def hold_position(self, bot: str, symbol: str, signed_lots: int) -> None:
        """Set what a bot holds (long positive): the venue's memory after a restart."""
        self._positions[bot, symbol] = signed_lots

    def remember(self, candle: Candle) -> None:
        """Note the last candle of a symbol before the first event arrives."""
        self._volume[candle.symbol] = candle.volume
        self._close[candle.symbol] = candle.close

    def _refusal(self, order: Order) -> str:
        instrument = self._instruments.get(order.symbol)
        if instrument is None:
            return f"unknown symbol {order.symbol}"
        if order.lots < instrument.min_lots and not order.reduce_only:
            return f"quantity below the minimum of {instrument.min_quantity}"
        if order.reduce_only and self._reducible(order) == 0:
            return "reduce-only: there is no position to reduce"
        return ""

    def _reducible(self, order: Order) -> int:
        held = self._positions.get((order.bot, order.symbol), 0) * -order.side.sign
        return max(0, min(held, order.lots))

    def _remove(self, book: dict[str, list[Resting]], held: Resting) -> None:
        orders = book[held.order.symbol]
        orders.remove(held)
        if not orders:
            del book[held.order.symbol]

    def _of(self, order: Order) -> Frictions:
        return self._own.get(order.bot, self._common)

    # --- market events -------------------------------------------------------------------

    def funding(self, event: FundingSettled) -> Sequence[VenueReport]:
        """Charge a settlement to every position of the symbol (positive rate: longs pay)."""
        reports: list[VenueReport] = []
        for (bot, symbol), lots in sorted(self._positions.items()):
            if symbol == event.symbol and lots:
                value = self._instruments[symbol].notional_e8(event.mark_ticks, abs(lots))
                paid = fee_e8(value, event.rate_e8) * (1 if lots > 0 else -1)
                reports.append(FundingPaid(at_ms=event.at_ms, bot=bot, symbol=symbol, amount_e8=paid))
        return reports

    def opened(self, event: CandleOpened) -> Sequence[VenueReport]:
        """Execute the market orders of the symbol at the first price of a new candle."""
        waiting = self._market.get(event.symbol)
        if not waiting:
            return ()
        reports: list[VenueReport] = []
        volume = self._volume.get(event.symbol, 0.0)
        tick = self._instruments[event.symbol].tick
        for held in list(waiting):
            ticks = market_fill_ticks(held.order.side.sign, event.price, self._of(held.order).slippage, *tick)
            available = self._available(held.order, volume)
            reports.extend(self._execute(self._market, held, ticks, event.open_ms, "taker", available))
        return reports

    def match(self, candle: Candle) -> Sequence[VenueReport]:
        """Test the resting orders of the symbol against a whole closed candle."""
        symbol = candle.symbol
        self.remember(candle)
        resting = self._resting.get(symbol)
        if not resting:
            return ()
        reports: list[VenueReport] = []
        stopped: set[str] = set()
        for held in [h for h in resting if h.order.kind is OrderKind.STOP]:
            executed = self._stop(held, candle)
            if executed:
                stopped.add(held.order.bot)
                reports.extend(executed)
        for bot in {h.order.bot: None for h in resting}:
            if bot not in stopped:
                reports.extend(self._nearest_target(bot, candle))
        for held in [h for h in self._resting.get(symbol, ()) if self._is_limit_entry(h)]:
            reports.extend(self._limit_entry(held, candle))
        return reports

    def settle(self, candle: Candle) -> Sequence[VenueReport]:
        """Test stops again where a target has just been executed, as that fill moved them."""
        if not self._moved:
            return ()
        reports: list[VenueReport] = []
        for held in list(self._resting.get(candle.symbol, ())):
            if held.order.kind is OrderKind.STOP and (held.order.bot, candle.symbol) in self._moved:
                reports.extend(self._stop(held, candle))
        self._moved = {(bot, symbol) for bot, symbol in self._moved if symbol != candle.symbol}
        return reports

    def ended(self, at_ms: Mapping[str, int]) -> Sequence[VenueReport]:
        """Execute what is still at market at the last close of its symbol, without slippage.

        at_ms: close time of each symbol's last candle.
        """
        reports: list[VenueReport] = []
        for symbol, waiting in sorted(self._market.items()):
            ticks = self._instruments[symbol].ticks(self._close[symbol])
            for held in list(waiting):
                reports.extend(self._execute(self._market, held, ticks, at_ms[symbol], "taker", None))
        return reports

    # --- executing -----------------------------------------------------------------------

    def _stop(self, held: Resting, candle: Candle) -> Sequence[VenueReport]:
        order = held.order
        assert order.trigger_ticks is not None
        instrument = self._instruments[order.symbol]
        sign = -order.side.sign
        stop = instrument.price(order.trigger_ticks)
        if not stop_touched(sign, stop, candle.low, candle.high):
            return ()
        ticks = stop_fill_ticks(sign, stop, candle.open, self._of(order).slippage, *instrument.tick)
        available = self._available(order, candle.volume)
        reports = self._execute(self._resting, held, ticks, candle.close_ms, "taker", available)
        if held in self._resting.get(order.symbol, ()):
            # Triggered but not filled to the end: the rest is a market order now.
            self._remove(self._resting, held)
            self._market.setdefault(order.symbol, []).append(held)
        return reports

    def _nearest_target(self, bot: str, candle: Candle) -> Sequence[VenueReport]:
        targets = [
            h
            for h in self._resting.get(candle.symbol, ())
            if h.order.bot == bot and h.order.kind is OrderKind.LIMIT and h.order.reduce_only
        ]
        if not targets:
            return ()
        nearest = min(targets, key=lambda h: (h.order.price_ticks or 0) * -h.order.side.sign)
        order = nearest.order
        assert order.price_ticks is not None
        instrument = self._instruments[order.symbol]
        sign = -order.side.sign
        if not target_touched(sign, instrument.price(order.price_ticks), candle.low, candle.high):
            return ()
        ticks = target_fill_ticks(sign, order.price_ticks, candle.open, *instrument.tick)
        self._moved.add((bot, candle.symbol))
        available = self._available(order, candle.volume)
        return self._execute(self._resting, nearest, ticks, candle.close_ms, "maker", available)

    @staticmethod
    def _is_limit_entry(held: Resting) -> bool:
        return held.order.kind is OrderKind.LIMIT and held.order.role is OrderRole.ENTRY

    def _limit_entry(self, held: Resting, candle: Candle) -> Sequence[VenueReport]:
        order = held.order
        assert order.price_ticks is not None
        instrument = self._instruments[order.symbol]
        # A limit order to buy is touched as a short position's target is: from above.
        sign = -order.side.sign
        if not target_touched(sign, instrument.price(order.price_ticks), candle.low, candle.high):
            return ()
        ticks = target_fill_ticks(sign, order.price_ticks, candle.open, *instrument.tick)
        available = self._available(order, candle.volume)
        return self._execute(self._resting, held, ticks, candle.close_ms, "maker", available)

    def _available(self, order: Order, volume: float) -> int | None:
        """Return how many lots one order may get of a candle's volume; None: no limit."""
        share = self._of(order).participation
        return None if share <= 0.0 else floor_steps(volume * share, *self._instruments[order.symbol].lot)

    def _execute(
        self,
        book: dict[str, list[Resting]],
        held: Resting,
        ticks: int,
        at_ms: int,
        liquidity: str,
        available: int | None,
    ) -> Sequence[VenueReport]:
        order = held.order
        lots = held.open_lots
        if order.reduce_only:
            lots = min(lots, self._reducible(order))
            if lots == 0:
                self._remove(book, held)
                return [OrderCanceled(at_ms=at_ms, bot=order.bot, client_id=order.client_id, reason="reduce_only")]
        if available is not None and available < lots:
            lots = available
            if lots <= 0:
                return ()
        parts = [lots]
        chance = self._of(order).split_probability
        if lots > 1 and chance > 0.0 and self._dice.uniform(order.client_id) < chance:
            first = 1 + int(self._dice.uniform(order.client_id + "/split") * (lots - 1))
            parts = [first, lots - first]
        reports: list[VenueReport] = [self._fill(held, part, ticks, at_ms, liquidity) for part in parts]
        if held.open_lots <= 0 or (order.reduce_only and self._reducible(order) == 0):
            self._remove(book, held)
            if held.open_lots > 0:
                reports.append(
                    OrderCanceled(at_ms=at_ms, bot=order.bot, client_id=order.client_id, reason="reduce_only")
                )
        return reports

    def _fill(self, held: Resting, lots: int, ticks: int, at_ms: int, liquidity: str) -> OrderFilled:
        order = held.order
        instrument = self._instruments[order.symbol]
        rate = instrument.maker_fee_e8 if liquidity == "maker" else instrument.taker_fee_e8
        held.filled += lots
        key = order.bot, order.symbol
        self._positions[key] = self._positions.get(key, 0) + lots * order.side.sign
        fill = Fill(
            fill_id=f"{order.client_id}.{held.filled}",
            client_id=order.client_id,
            bot=order.bot,
            symbol=order.symbol,
            side=Side(order.side),
            lots=lots,
            price_ticks=ticks,
            fee_e8=fee_e8(instrument.notional_e8(ticks, lots), rate),
            liquidity="maker" if liquidity == "maker" else "taker",
            at_ms=at_ms,
        )
        return OrderFilled(at_ms=at_ms, bot=order.bot, fill=fill)
