"""What `/ws` says: frames `{type, seq, at, data}` to the client, requests from it.

1. `seq` counts the frames of this connection without gaps, 1 first. A client that sees a gap asks
   for a snapshot.
2. The first frame is `snapshot`. Later frames change what it said, in the order of `seq`.
3. Values (`price_update`, `position_update`, `balance_update`, `system_status`) are conflated: the newest
   wins, at most ten sends a second. Events (`trade_closed`, `bot_trade_executed`, `signal`, `bot_status`,
   `equity`, `speed`) are never dropped; where they would overflow, a new snapshot replaces them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from regatta.api.schemas import (
    ActionResult,
    Answer,
    BotState,
    BotView,
    DecisionView,
    EquityPoint,
    FeedView,
    FillView,
    LivePositionView,
    PriceView,
    Problem,
    SnapshotData,
    SpeedView,
    Time,
    Totals,
    TradeTotals,
    TradeView,
)

Topic = Literal[
    "price_update",
    "position_update",
    "balance_update",
    "system_status",
    "trade_closed",
    "bot_trade_executed",
    "signal",
    "bot_status",
    "equity",
    "speed",
]
"""Frames that can be subscribed to; a new connection has them all."""


class _Frame(Answer):
    seq: int = Field(description="Counts the frames of this connection, 1 first, no gaps.")
    at: Time = Field(description="When the server sent it, wall clock.")


class SnapshotFrame(_Frame):
    """Everything: replaces what the client holds."""

    type: Literal["snapshot"]
    data: SnapshotData


class PriceData(Answer):
    """Prices that changed since the last price_update."""

    prices: list[PriceView]


class PriceFrame(_Frame):
    """Value: last prices."""

    type: Literal["price_update"]
    data: PriceData


class PositionData(Answer):
    """All open positions: replaces the list."""

    positions: list[LivePositionView]


class PositionFrame(_Frame):
    """Value: open positions with live prices."""

    type: Literal["position_update"]
    data: PositionData


class BalanceData(Answer):
    """All bots with their money and counters: replaces the list."""

    bots: list[BotView]
    totals: Totals


class BalanceFrame(_Frame):
    """Value: bots' balance, equity, PnL, counters, holds; at most twice a second."""

    type: Literal["balance_update"]
    data: BalanceData


class SystemData(Answer):
    """Health of feeds and engine."""

    is_running: bool
    uptime_s: float
    loop_lag_ms: float
    journal_seq: int
    feeds: list[FeedView]
    errors: list[str]


class SystemFrame(_Frame):
    """Value: health, once a second."""

    type: Literal["system_status"]
    data: SystemData


class TradeData(Answer):
    """A trade was closed."""

    trade: TradeView
    totals: TradeTotals = Field(description="Of all trades, this one included.")


class TradeFrame(_Frame):
    """Event: a position was closed."""

    type: Literal["trade_closed"]
    data: TradeData


class FillFrame(_Frame):
    """Event: an order of a bot was executed, in part or in full."""

    type: Literal["bot_trade_executed"]
    data: FillView


class SignalFrame(_Frame):
    """Event: a signal that wanted something, and what the bot did about it."""

    type: Literal["signal"]
    data: DecisionView


class BotStatusData(Answer):
    """A bot was started, paused, stopped, or failed."""

    bot: str
    state: BotState
    by: str
    at: Time


class BotStatusFrame(_Frame):
    """Event: a bot's state changed."""

    type: Literal["bot_status"]
    data: BotStatusData


class EquityData(Answer):
    """New points of one bot's curve, oldest first."""

    bot: str
    points: list[EquityPoint]


class EquityFrame(_Frame):
    """Event: append these points."""

    type: Literal["equity"]
    data: EquityData


class SpeedFrame(_Frame):
    """Event: the speed of the virtual market changed."""

    type: Literal["speed"]
    data: SpeedView


class PongFrame(_Frame):
    """Answer to ping."""

    type: Literal["pong"]
    id: str | int | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class ResultData(ActionResult):
    """What a request led to; positions for get_positions, topics for subscribe and unsubscribe."""

    positions: list[LivePositionView] | None = None
    topics: list[Topic] | None = None


class ResultFrame(_Frame):
    """Answer to a request that worked; id: the request's."""

    type: Literal["result"]
    id: str | int | None
    data: ResultData


class ErrorFrame(_Frame):
    """Answer to a request that did not; data: the problem document."""

    type: Literal["error"]
    id: str | int | None
    data: Problem


ServerFrame = Annotated[
    SnapshotFrame
    | PriceFrame
    | PositionFrame
    | BalanceFrame
    | SystemFrame
    | TradeFrame
    | FillFrame
    | SignalFrame
    | BotStatusFrame
    | EquityFrame
    | SpeedFrame
    | PongFrame
    | ResultFrame
    | ErrorFrame,
    Field(discriminator="type"),
]


# --- From the client -------------------------------------------------------------------------


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str | int | None = None


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SubscribeData(BaseModel):
    """Which frames."""

    model_config = ConfigDict(extra="forbid")

    topics: list[Topic] = Field(max_length=32)


class BotData(BaseModel):
    """Which bot; all without it."""

    model_config = ConfigDict(extra="forbid")

    bot: str | None = Field(default=None, max_length=64)


class StopData(BotData):
    """Which bot, and whether its positions are closed too."""

    close_positions: bool = False


class CloseData(BotData):
    """Which position: by symbol or by id."""

    symbol: str | None = Field(default=None, max_length=64)
    position_id: str | None = Field(default=None, max_length=64)


class SpeedData(BaseModel):
    """Speed of the virtual market."""

    model_config = ConfigDict(extra="forbid")

    speed: float = Field(gt=0, allow_inf_nan=False)


class Subscribe(_Request):
    """Ask for more or for fewer kinds of frames."""

    type: Literal["subscribe", "unsubscribe"]
    data: SubscribeData


class Plain(_Request):
    """Requests without data. snapshot: send a new snapshot."""

    type: Literal["ping", "snapshot", "get_positions"]
    data: _Nothing = Field(default_factory=_Nothing)


class BotRequest(_Request):
    """Start, pause or resume a bot or all."""

    type: Literal["start_bot", "pause_bot", "resume_bot"]
    data: BotData = Field(default_factory=BotData)


class StopBot(_Request):
    """Stop a bot or all."""

    type: Literal["stop_bot"]
    data: StopData = Field(default_factory=StopData)


class ClosePositionRequest(_Request):
    """Close a position at market."""

    type: Literal["close_position"]
    data: CloseData


class SpeedRequest(_Request):
    """Set the speed of the virtual market."""

    type: Literal["set_speed"]
    data: SpeedData


ClientFrame = Annotated[
    Subscribe | Plain | BotRequest | StopBot | ClosePositionRequest | SpeedRequest, Field(discriminator="type")
]
