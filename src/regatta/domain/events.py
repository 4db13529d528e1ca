"""Events and commands: everything that happens, and everything that is asked for.

Market events come from feeds and are not journaled (candles stay in their store). Everything
else is a `Record`: the journal holds it, and the state of the platform is the fold over it.
Commands (`PlaceOrder`, `CancelOrder`) are records too: they are journaled before they are
carried out. Events are in the past tense, commands in the imperative.
"""

import msgspec

from regatta.domain.candle import Candle
from regatta.domain.order import Fill, Order
from regatta.domain.position import Position, Trade
from regatta.domain.signal import Decision

# --- Market events ---------------------------------------------------------------------------


class CandleClosed(msgspec.Struct, frozen=True, gc=False):
    """A candle is complete: the venue said so, or its period has passed."""

    candle: Candle


class CandleOpened(msgspec.Struct, frozen=True, gc=False):
    """The first price of a new candle: what a market order sent at the last close meets."""

    symbol: str
    open_ms: int
    price: float


class CloseTimePassed(msgspec.Struct, frozen=True, gc=False):
    """No more candles with this close time are awaited: rounds of that time are decided."""

    timeframe: str
    close_ms: int


class SeriesInterrupted(msgspec.Struct, frozen=True, gc=False):
    """Candles are missing and can't be had: indicators of the symbol restart their warm-up."""

    symbol: str
    timeframe: str
    after_ms: int
    missing: int


class FundingSettled(msgspec.Struct, frozen=True, gc=False):
    """A swap settled funding. rate_e8: 10**-8 per settlement, positive: longs pay."""

    symbol: str
    at_ms: int
    rate_e8: int
    mark_ticks: int


class EndOfData(msgspec.Struct, frozen=True, gc=False):
    """Stored history is over; close_ms is the close time of its last candle."""

    close_ms: int


MarketEvent = CandleClosed | CandleOpened | CloseTimePassed | SeriesInterrupted | FundingSettled | EndOfData

# --- Commands --------------------------------------------------------------------------------


class Record(msgspec.Struct, frozen=True, tag=True, kw_only=True, omit_defaults=True):
    """What the journal holds. at_ms: the venue's (market) time of the event."""

    at_ms: int
    bot: str = ""


class PlaceOrder(Record, frozen=True):
    """Send this order. Journaled and committed first."""

    order: Order


class CancelOrder(Record, frozen=True):
    """Cancel this order at the venue. Journaled and committed first."""

    client_id: str
    symbol: str


# --- What venues report ----------------------------------------------------------------------


class OrderAccepted(Record, frozen=True):
    """The venue has the order."""

    client_id: str
    venue_order_id: str


class OrderRefused(Record, frozen=True):
    """The venue proved that it does not have the order and won't take it."""

    client_id: str
    reason: str


class OrderCanceled(Record, frozen=True):
    """The order is gone without (further) fills. reason: "requested", "reduce_only", "end_of_data"."""

    client_id: str
    reason: str


class OrderFilled(Record, frozen=True):
    """An order was executed, in part or in full."""

    fill: Fill


class FundingPaid(Record, frozen=True):
    """A position paid (positive) or received (negative) funding, in 10**-8 quote."""

    symbol: str
    amount_e8: int


# --- What bots conclude ----------------------------------------------------------------------


class DecisionTaken(Record, frozen=True):
    """A signal that wanted something, and what the bot did about it."""

    decision: Decision


class PositionChanged(Record, frozen=True):
    """A position after a fill, funding or a moved level; lots 0: it is closed."""

    position: Position


class TradeClosed(Record, frozen=True):
    """A position was closed: the trade, with the balance after it."""

    trade: Trade


class HoldsCounted(Record, frozen=True):
    """How often the bot held on a symbol since the last count, by first failing check.

    from_ms (exclusive) to at_ms (inclusive): close times that were counted.
    """

    from_ms: int
    holds: dict[str, dict[str, int]]


class EquityMarked(Record, frozen=True):
    """Balance and equity (balance + unrealised) of a bot at a moment of market time."""

    balance_e8: int
    equity_e8: int


# --- Control and shell -----------------------------------------------------------------------


class BotRegistered(Record, frozen=True):
    """A bot exists from here on. settings: its settings as JSON text, without secrets."""

    mode: str
    venue: str
    strategy: str
    initial_balance_e8: int
    settings: str


class BotStateChanged(Record, frozen=True):
    """A bot was started, paused (no new entries) or stopped. state: running, paused, stopped."""

    state: str
    by: str


class MarketReached(Record, frozen=True):
    """A virtual market's clock: everything up to this moment of the feed is in the journal.

    phase: "closed" (candles that closed at at_ms are handled) or "opened" (so are the first
    prices after it).
    """

    feed: str
    phase: str


class EngineStarted(Record, frozen=True):
    """The engine came up; version of the code that writes from here on."""

    version: str


class EngineStopped(Record, frozen=True):
    """The engine went down in order; absent after a crash."""

    reason: str


Command = PlaceOrder | CancelOrder
VenueReport = OrderAccepted | OrderRefused | OrderCanceled | OrderFilled | FundingPaid
AnyRecord = (
    PlaceOrder
    | CancelOrder
    | OrderAccepted
    | OrderRefused
    | OrderCanceled
    | OrderFilled
    | FundingPaid
    | DecisionTaken
    | PositionChanged
    | TradeClosed
    | HoldsCounted
    | EquityMarked
    | BotRegistered
    | BotStateChanged
    | MarketReached
    | EngineStarted
    | EngineStopped
)
