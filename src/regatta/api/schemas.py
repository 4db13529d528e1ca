"""What the API says over HTTP: one pydantic model per answer, and its units.

Display answers (status, bots, live positions, equity, the snapshot) hold money and prices as
numbers. Journal answers (trades, positions, orders, fills, statistics of trades) hold them as exact
decimal strings. Times are ISO 8601 in UTC with milliseconds ("2025-05-25T00:00:00.000Z"); for a
virtual bot they are times of its market. Percentages are in percent (1.5 is 1.5 %).
The web's types are generated from these models.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Mode = Literal["backtest", "virtual", "paper", "live"]
BotState = Literal["running", "paused", "stopped", "failed"]
PositionSide = Literal["long", "short"]
TradeResult = Literal["win", "loss", "even"]
Action = Literal["enter", "exit", "held_back"]
Direction = Literal["long", "short", "exit_long", "exit_short"]

Time = Annotated[
    str,
    Field(
        description="ISO 8601, UTC, milliseconds.",
        examples=["2025-05-25T00:00:00.000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
Amount = Annotated[
    str, Field(description="Exact amount of quote currency, a decimal string.", examples=["-12.34560000"])
]
Price = Annotated[str, Field(description="Exact price in quote per base, a decimal string.", examples=["27123.10"])]
Quantity = Annotated[str, Field(description="Exact quantity in base units, a decimal string.", examples=["0.015"])]


class Answer(BaseModel):
    """Base of everything the API answers."""

    model_config = ConfigDict(frozen=True)


# --- Errors ----------------------------------------------------------------------------------


class FieldFault(Answer):
    """One field of a request that is wrong."""

    field: str = Field(description='Where: "query.limit", "body.speed".')
    problem: str = Field(description="What is wrong with it.")
    allowed: str = Field(default="", description="What is allowed there; empty when the problem says it.")


class Problem(Answer):
    """RFC 9457 problem document (application/problem+json): the answer to every error."""

    type: str = Field(default="about:blank", description='Kind of problem, e.g. "/problems/bad-input".')
    title: str = Field(description="Short name of the problem.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="What was wrong, where, and what is allowed: shown to the user as it is.")
    error: str = Field(description="Same as detail, for older clients.")
    instance: str = Field(default="", description="Path of the request.")
    id: str = Field(default="", description="Unforeseen errors only: the id that the log carries.")
    fields: list[FieldFault] = Field(default_factory=list, description="Requests that do not validate: each fault.")


# --- Signing in ------------------------------------------------------------------------------


class SessionView(Answer):
    """Who is asking, and what may be asked."""

    signed_in: bool = Field(description="The request carries a valid session.")
    can_write: bool = Field(description="Start, stop, close and the like are allowed.")
    open_reads: bool = Field(description="Reading needs no session (demo on loopback).")
    hint: str = Field(description="What to do when can_write is false; else empty.")


# --- Bots and system -------------------------------------------------------------------------


class BotView(Answer):
    """One bot as it is now, for display. Money: numbers in `quote`."""

    name: str = Field(title="Bot", examples=["V1"])
    mode: Mode = Field(title="Mode")
    mode_label: str = Field(title="Mode in words", examples=["Virtual", "Real (Paper)", "Real (Live)"])
    state: BotState = Field(title="State", description="paused: no new entries; failed: see last_error.")
    venue: str = Field(title="Venue", examples=["binanceusdm"])
    strategy: str = Field(title="Strategy", examples=["ema_rsi"])
    timeframe: str = Field(title="Timeframe", examples=["1m"])
    quote: str = Field(title="Quote currency", examples=["USDT"])
    symbols: list[str] = Field(title="Universe", description="Symbols that the bot watches, sorted.")
    parameters: dict[str, JsonValue] = Field(title="Parameters", description="Of the strategy, by name.")
    initial_balance: float = Field(title="Initial balance", description="quote")
    balance: float = Field(title="Balance", description="Initial + realised PnL - fees - funding, in quote.")
    equity: float = Field(title="Equity", description="Balance + unrealised PnL, in quote.")
    unrealised: float = Field(title="Unrealised PnL", description="Of the open positions, in quote.")
    pnl: float = Field(title="Total PnL", description="Equity - initial balance, in quote.")
    pnl_pct: float = Field(title="Total PnL", description="In percent of the initial balance.")
    pnl_today: float = Field(
        title="Today's PnL",
        description="Net PnL of trades closed in the present UTC day of the bot's market, in quote.",
    )
    open_positions: int = Field(title="Open positions")
    max_positions: int = Field(title="Positions allowed")
    trades: int = Field(title="Trades", description="Closed positions.")
    wins: int = Field(title="Won", description="Trades with a net PnL above 0.")
    losses: int = Field(title="Lost", description="Trades with a net PnL below 0.")
    win_rate_pct: float | None = Field(title="Win rate", description="wins / trades, percent; null without trades.")
    signals: int = Field(title="Signals", description="Signals that wanted something, acted on or held back.")
    holds: dict[str, int] = Field(
        title="Holds", description="How often it held since start, by first failing check or rule."
    )
    last_error: str = Field(title="Last error", description="Empty when there is none.")


class FeedView(Answer):
    """A market feed and its health."""

    name: str
    kind: str = Field(description='"generated", "replay", or the venue.')
    state: str = Field(description="running, paused, ended, stale.")
    symbols: int = Field(description="How many symbols it carries.")
    market_time: Time
    speed: float | None = Field(description="Market time per real time; null for real venues.")
    last_event_age_ms: int = Field(description="Age of the newest event, milliseconds of market time.")


class SpeedView(Answer):
    """Speed of the virtual market."""

    speed: float | None = Field(description="Market time per real time; null when no virtual market runs.")
    allowed: list[float] = Field(description="Speeds that can be chosen.", examples=[[1, 10, 60, 600]])


class Totals(Answer):
    """All bots together, for the cards of the dashboard. Money: numbers in `quote`."""

    quote: str | None = Field(description="Their common quote currency; null (and sums 0) when they differ.")
    initial_balance: float
    balance: float
    equity: float
    unrealised: float
    pnl: float = Field(description="Equity - initial balance.")
    pnl_pct: float = Field(description="Percent of the initial balance.")
    pnl_today: float
    open_positions: int
    max_positions: int
    trades: int
    wins: int
    losses: int
    win_rate_pct: float | None
    signals: int
    monitored_pairs: int = Field(description="Distinct symbols that the bots watch.")


class StatusView(Answer):
    """GET /api/status: what runs, and how it is."""

    is_running: bool = Field(description="Any bot is running.")
    version: str
    started_at: Time
    now: Time
    uptime_s: float
    bots: list[BotView]
    totals: Totals
    feeds: list[FeedView]
    speed: SpeedView
    errors: list[str] = Field(description="Errors of engine and bots that still hold, newest last.")


class SystemStatusView(Answer):
    """GET /api/system_status: the process and the machine."""

    version: str
    uptime_s: float
    cpu_pct: float = Field(description="Of one core, since the last call; the first call gives 0.")
    memory_mb: float = Field(description="Resident memory of the process, 10**6 bytes.")
    loop_lag_ms: float = Field(description="Latest measured delay of the event loop.")
    journal_seq: int = Field(description="Records in the journal.")
    journal_mb: float = Field(description="Size of the journal's file, 10**6 bytes.")
    clients: int = Field(description="Connected realtime clients.")
    feeds: list[FeedView]


class ActionResult(Answer):
    """Answer of a control request that worked."""

    ok: Literal[True] = True
    bots: dict[str, BotState] = Field(default_factory=dict, description="State of each bot afterwards.")
    orders: list[str] = Field(default_factory=list, description="Client ids of the orders that were sent.")
    speed: float | None = Field(default=None, description="Speed of the virtual market afterwards.")


class ClosePosition(BaseModel):
    """Body of POST /api/close_position."""

    model_config = ConfigDict(extra="forbid")

    symbol: str = Field(description="BTC/USDT:USDT; BTC-USDT-USDT is accepted too.", max_length=64)
    bot: str | None = Field(default=None, description="Whose position; all bots' without it.", max_length=64)


class SetSpeed(BaseModel):
    """Body of POST /api/speed."""

    model_config = ConfigDict(extra="forbid")

    speed: float = Field(description="1, 10, 60 or 600.", gt=0, allow_inf_nan=False)


# --- Positions -------------------------------------------------------------------------------


class LivePositionView(Answer):
    """An open position with its live price, for display (numbers)."""

    position_id: str
    bot: str
    mode: Mode
    mode_label: str
    symbol: str
    side: PositionSide
    quantity: float = Field(description="base")
    entry_price: float
    price: float = Field(description="Last price.")
    stop_price: float | None
    target_price: float | None
    notional: float = Field(description="Value at the last price, quote.")
    unrealised: float = Field(description="Before fees, quote.")
    unrealised_pct: float = Field(description="Percent of the entry's value.")
    fees: float = Field(description="Paid so far, quote.")
    opened_at: Time
    price_at: Time = Field(description="Time of the last price.")


class LivePositions(Answer):
    """GET /api/positions/live."""

    positions: list[LivePositionView]
    now: Time


class PositionView(Answer):
    """An open position as the journal holds it (exact decimals)."""

    position_id: str
    bot: str
    mode: Mode
    symbol: str
    side: PositionSide
    quantity: Quantity
    entry_price: Price
    cost: Amount
    fees: Amount
    funding: Amount
    realised: Amount
    stop_price: Price | None
    target_price: Price | None
    opened_at: Time


class Positions(Answer):
    """GET /api/positions."""

    positions: list[PositionView]


# --- Trades ----------------------------------------------------------------------------------


class TradeView(Answer):
    """A closed position (exact decimals). It is also what the realtime frame trade_closed holds."""

    seq: int = Field(description="Number of its record in the journal; rises with time.")
    trade_id: str
    bot: str
    mode: Mode
    mode_label: str
    symbol: str
    quote: str
    side: PositionSide
    result: TradeResult
    quantity: Quantity
    entry_price: Price = Field(description="Average of the entries, to the nearest tick.")
    exit_price: Price = Field(description="Average of the exits, to the nearest tick.")
    opened_at: Time
    closed_at: Time
    duration_s: float
    fees: Amount
    funding: Amount = Field(description="Paid; negative: received.")
    pnl: Amount = Field(description="Net of fees and funding.")
    pnl_pct: float = Field(description="Net PnL in percent of the entry's value.")
    reason: str = Field(description="stop_loss, take_profit, signal, manual, end_of_data, kill.")
    balance_after: Amount


class TradeTotals(Answer):
    """Sums over all trades that the filter lets through, not only over the page."""

    trades: int
    wins: int
    losses: int
    win_rate_pct: float | None = Field(description="Null without trades.")
    pnl: Amount
    fees: Amount
    funding: Amount
    best: Amount | None = Field(description="Largest net PnL of one trade; null without trades.")
    worst: Amount | None
    average: Amount | None = Field(description="Mean net PnL, rounded to 8 places.")


class Trades(Answer):
    """GET /api/trades: one page and the totals of the filter."""

    trades: list[TradeView]
    totals: TradeTotals
    limit: int
    offset: int


class FillView(Answer):
    """One execution (exact decimals). Also what the realtime frame bot_trade_executed holds."""

    seq: int
    fill_id: str
    client_id: str
    bot: str
    mode: Mode
    symbol: str
    side: Literal["buy", "sell"]
    quantity: Quantity
    price: Price
    fee: Amount
    liquidity: Literal["maker", "taker"]
    at: Time


class OrderView(Answer):
    """An order with what became of it (exact decimals)."""

    client_id: str
    position_id: str
    bot: str
    mode: Mode
    symbol: str
    side: Literal["buy", "sell"]
    kind: Literal["market", "limit", "stop"]
    role: Literal["entry", "exit", "stop_loss", "take_profit"]
    status: Literal["intended", "working", "filled", "canceled", "refused"]
    reason: str
    quantity: Quantity
    filled_quantity: Quantity
    average_price: Price | None = Field(description="Of its fills, to the nearest tick; null while there are none.")
    limit_price: Price | None
    trigger_price: Price | None
    intended_at: Time
    updated_at: Time


class Orders(Answer):
    """GET /api/orders."""

    orders: list[OrderView]
    limit: int
    offset: int


class TradeStory(Answer):
    """GET /api/trades/{trade_id}: everything about one trade."""

    trade: TradeView
    entry: "DecisionView | None" = Field(description="The signal that led to it, with its checks.")
    exit: "DecisionView | None" = Field(description="The signal that closed it; null for stops, targets, by hand.")
    orders: list[OrderView]
    fills: list[FillView]


# --- Signals, decisions, why -----------------------------------------------------------------


class CheckView(Answer):
    """One named condition: `value relation threshold`."""

    name: str
    value: float | None = Field(description="Null while warming up.")
    threshold: float | None
    relation: str = Field(examples=["<", ">"])
    passed: bool | None = Field(description="Null while warming up; counts as failed.")


class DecisionView(Answer):
    """A signal with its checks, and what the bot did about it."""

    seq: int
    at: Time = Field(description="Close of the candle.")
    bot: str
    mode: Mode
    symbol: str
    timeframe: str
    direction: Direction
    score: float = Field(description="0 to 100.")
    price: float = Field(description="Close of the candle.")
    checks: list[CheckView]
    action: Action
    reason: str = Field(description="The rule that held it back; else empty.")
    detail: str = Field(description="The numbers behind the reason, in words.")
    client_id: str = Field(description="Of the order it led to; else empty.")


class Decisions(Answer):
    """GET /api/decisions and /api/signals, newest first."""

    decisions: list[DecisionView]
    limit: int
    offset: int


class OutputChecks(Answer):
    """The checks of one output of a strategy."""

    output: str = Field(examples=["enter_long", "exit_long"])
    passed: bool = Field(description="All checks passed.")
    checks: list[CheckView]


class SymbolChecksView(Answer):
    """GET /api/debug/{symbol}: every check of a bot's strategy on the last closed candle."""

    bot: str
    symbol: str
    close_at: Time | None = Field(description="Close of that candle; null before the first.")
    price: float | None
    ready: bool = Field(description="The indicators are warm.")
    outputs: list[OutputChecks]


class HoldReason(Answer):
    """How often a bot held for one reason."""

    reason: str = Field(description="First failing check or rule.")
    count: int
    share_pct: float = Field(description="Percent of all holds of the bot within the filter.")


class WhyBot(Answer):
    """Why one bot did not trade."""

    bot: str
    holds: int = Field(description="All holds within the filter.")
    reasons: list[HoldReason] = Field(description="Most frequent first.")
    held_back: list[DecisionView] = Field(description="Last signals that a rule held back, newest first.")
    last: list[DecisionView] = Field(description="Last decisions of any kind, newest first.")


class Why(Answer):
    """GET /api/why: counts of holds by reason and the last decisions."""

    bots: list[WhyBot]


# --- Curves and statistics -------------------------------------------------------------------


class EquityPoint(Answer):
    """Balance and equity of a bot at a moment, for display (numbers in quote)."""

    at: Time
    balance: float
    equity: float


class EquityCurve(Answer):
    """The equity of one bot, oldest first."""

    bot: str
    quote: str
    initial_balance: float
    points: list[EquityPoint]


class Equity(Answer):
    """GET /api/equity."""

    curves: list[EquityCurve]


class PnlDay(Answer):
    """Net PnL of one UTC day (numbers in quote)."""

    day: str = Field(examples=["2025-05-25"])
    trades: int
    pnl: float
    pnl_total: float = Field(description="Sum from the first day given to this one.")


class PnlHistoryBot(Answer):
    """Days of one bot, oldest first; days without trades are given with 0."""

    bot: str
    quote: str
    days: list[PnlDay]


class PnlHistory(Answer):
    """GET /api/pnl-history."""

    bots: list[PnlHistoryBot]


class BotStats(Answer):
    """Statistics of one bot. Null: not defined for what there is so far.

    Trades that were closed only because the data ended count in the sums of money, not in counts,
    means and extremes. Ratios of equity need days: see `days` and `reliable`.
    """

    bot: str
    quote: str
    trades: int
    wins: int
    losses: int
    win_rate_pct: float | None
    pnl: Amount
    fees: Amount
    funding: Amount
    roi_pct: float | None = Field(description="Net PnL in percent of the initial balance.")
    profit_factor: float | None = Field(description="Gross profit / gross loss; null without a loss.")
    expectancy: float | None = Field(description="Mean net PnL of a trade, quote.")
    best: Amount | None
    worst: Amount | None
    average_holding_s: float | None
    longest_win_streak: int
    longest_loss_streak: int
    exposure_pct: float | None = Field(description="Share of the time with a position open.")
    max_drawdown_pct: float | None = Field(description="Deepest fall of equity, percent of its peak.")
    max_drawdown_s: float | None = Field(description="Length of that drawdown: peak to recovery, or to now.")
    annual_return_pct: float | None
    sharpe: float | None = Field(description="Of daily returns, annualised (365 days).")
    sortino: float | None
    calmar: float | None
    days: int = Field(description="UTC days that have ended.")
    reliable: bool = Field(description="At least 30 trades and 30 days; else to be shown grey, with their number.")


class Stats(Answer):
    """GET /api/stats."""

    bots: list[BotStats]


# --- Instruments -----------------------------------------------------------------------------


class InstrumentView(Answer):
    """Grid of one instrument, and how its figures are shown."""

    venue: str
    symbol: str
    base: str
    quote: str
    kind: Literal["spot", "swap"]
    tick_size: str
    lot_step: str
    contract_size: str
    price_decimals: int = Field(description="Decimals of a price.")
    quantity_decimals: int = Field(description="Decimals of a quantity in base units.")


class Instruments(Answer):
    """GET /api/instruments: those that the bots watch."""

    instruments: list[InstrumentView]


# --- Everything at once ----------------------------------------------------------------------


class PriceView(Answer):
    """The last price of a symbol."""

    symbol: str
    price: float
    at: Time


class SnapshotData(Answer):
    """GET /api/data and the realtime frame snapshot: the whole state of the dashboard."""

    status: StatusView
    positions: list[LivePositionView]
    prices: list[PriceView]
    equity: list[EquityCurve] = Field(description="At most 500 points a bot.")
    trades: list[TradeView] = Field(description="Newest first, at most 50.")
    trade_totals: TradeTotals = Field(description="Of all trades.")
    decisions: list[DecisionView] = Field(description="Newest first, at most 50.")
    instruments: list[InstrumentView]
    session: SessionView


class Health(Answer):
    """GET /health."""

    status: Literal["ok", "starting", "failed"]
    version: str


TradeStory.model_rebuild()
