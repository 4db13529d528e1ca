"""Records of every kind, in any order, about few enough things that they meet: for property tests."""

import json

from hypothesis import strategies as st

from regatta.domain.events import (
    AnyRecord,
    BotRegistered,
    BotStateChanged,
    CancelOrder,
    DecisionTaken,
    EngineStarted,
    EngineStopped,
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
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, Side
from regatta.domain.position import Position, Trade
from regatta.domain.signal import Check, Decision, Signal

BOTS = st.sampled_from(["V1", "V2", "naïve 'bot'"])
SYMBOLS = st.sampled_from(["AAA/USDT", "BBB/USDT:USDT"])
TIMES = st.integers(0, 10**13)
LOTS = st.integers(1, 10**6)
TICKS = st.integers(1, 10**9)
MONEY = st.integers(-(10**14), 10**14)
SIDES = st.sampled_from(Side)
TEXT = st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
GRID = {"tick_size": "0.10", "lot_step": "0.001", "contract_size": "0.01", "quote": "USDT"}
SETTINGS = st.sampled_from(
    ["", "{}", '{"instruments": {}}', json.dumps({"instruments": {"AAA/USDT": GRID}, "timeframe": "1m"})]
)
CLIENT_IDS = st.integers(1, 6).map(lambda n: f"TAGVONE-{n}")
NAMES = st.integers(1, 5).map(lambda n: f"P-{n}")

CHECKS = st.builds(
    Check, TEXT, st.none() | NUMBERS, st.none() | NUMBERS, st.sampled_from(["<", ">"]), st.none() | st.booleans()
)


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    bot = draw(BOTS)
    order = Order(
        client_id=f"{bot}{draw(CLIENT_IDS)}",
        bot=bot,
        symbol=draw(SYMBOLS),
        side=draw(SIDES),
        kind=draw(st.sampled_from(OrderKind)),
        role=draw(st.sampled_from(OrderRole)),
        lots=draw(LOTS),
        position_id=f"{bot}{draw(NAMES)}",
        reduce_only=draw(st.booleans()),
        price_ticks=draw(st.none() | TICKS),
        trigger_ticks=draw(st.none() | TICKS),
        decided_ticks=draw(st.none() | TICKS),
        reason=draw(TEXT),
    )
    return PlaceOrder(at_ms=draw(TIMES), bot=bot, order=order)


@st.composite
def reports(draw: st.DrawFn) -> AnyRecord:
    at_ms, bot = draw(TIMES), draw(BOTS)
    client_id = f"{bot}{draw(CLIENT_IDS)}"
    match draw(st.integers(0, 4)):
        case 0:
            return OrderAccepted(at_ms=at_ms, bot=bot, client_id=client_id, venue_order_id=draw(TEXT))
        case 1:
            return OrderRefused(at_ms=at_ms, bot=bot, client_id=client_id, reason=draw(TEXT))
        case 2:
            return OrderCanceled(at_ms=at_ms, bot=bot, client_id=client_id, reason=draw(TEXT))
        case 3:
            return CancelOrder(at_ms=at_ms, bot=bot, client_id=client_id, symbol=draw(SYMBOLS))
    fill = Fill(
        fill_id=draw(NAMES),
        client_id=client_id,
        bot=bot,
        symbol=draw(SYMBOLS),
        side=draw(SIDES),
        lots=draw(LOTS),
        price_ticks=draw(TICKS),
        fee_e8=draw(MONEY),
        liquidity=draw(st.sampled_from(["maker", "taker"])),
        at_ms=at_ms,
    )
    return OrderFilled(at_ms=at_ms, bot=bot, fill=fill)


@st.composite
def positions(draw: st.DrawFn) -> PositionChanged:
    bot = draw(BOTS)
    position = Position(
        position_id=f"{bot}{draw(NAMES)}",
        bot=bot,
        symbol=draw(SYMBOLS),
        side=draw(SIDES),
        lots=draw(LOTS),
        entry_ticks=draw(TICKS),
        cost_e8=draw(MONEY),
        fees_e8=draw(MONEY),
        funding_e8=draw(MONEY),
        realised_e8=draw(MONEY),
        opened_ms=draw(TIMES),
        stop_ticks=draw(st.none() | TICKS),
        target_ticks=draw(st.none() | TICKS),
        leverage=draw(st.integers(1, 20)),
    )
    return PositionChanged(at_ms=draw(TIMES), bot=bot, position=position)


@st.composite
def decisions(draw: st.DrawFn) -> DecisionTaken:
    bot, at_ms = draw(BOTS), draw(TIMES)
    signal = Signal(
        bot=bot,
        symbol=draw(SYMBOLS),
        timeframe="1m",
        close_ms=at_ms,
        direction=draw(st.sampled_from(["long", "short", "exit_long", "exit_short"])),
        score=draw(NUMBERS),
        price=draw(NUMBERS),
        checks=tuple(draw(st.lists(CHECKS, max_size=3))),
    )
    decision = Decision(
        signal=signal,
        action=draw(st.sampled_from(["enter", "exit", "held_back"])),
        reason=draw(TEXT),
        detail=draw(TEXT),
        client_id=draw(st.just("") | CLIENT_IDS),
    )
    return DecisionTaken(at_ms=at_ms, bot=bot, decision=decision)


HOLDS = st.dictionaries(SYMBOLS, st.dictionaries(TEXT, st.integers(1, 1000), min_size=1, max_size=3), min_size=1)
OTHERS = st.one_of(
    st.builds(
        BotRegistered,
        at_ms=TIMES,
        bot=BOTS,
        mode=st.sampled_from(["virtual", "paper"]),
        venue=TEXT,
        strategy=TEXT,
        initial_balance_e8=MONEY,
        settings=SETTINGS,
    ),
    st.builds(BotStateChanged, at_ms=TIMES, bot=BOTS, state=st.sampled_from(["running", "paused"]), by=TEXT),
    st.builds(EquityMarked, at_ms=TIMES, bot=BOTS, balance_e8=MONEY, equity_e8=MONEY),
    st.builds(FundingPaid, at_ms=TIMES, bot=BOTS, symbol=SYMBOLS, amount_e8=MONEY),
    st.builds(HoldsCounted, at_ms=TIMES, bot=BOTS, from_ms=TIMES, holds=HOLDS),
    st.builds(MarketReached, at_ms=TIMES, feed=TEXT, phase=st.sampled_from(["closed", "opened"])),
    st.builds(EngineStarted, at_ms=TIMES, version=TEXT),
    st.builds(EngineStopped, at_ms=TIMES, reason=TEXT),
)


@st.composite
def trades(draw: st.DrawFn) -> TradeClosed:
    bot = draw(BOTS)
    trade = Trade(
        trade_id=f"{bot}{draw(NAMES)}",
        bot=bot,
        symbol=draw(SYMBOLS),
        side=draw(SIDES),
        lots=draw(LOTS),
        opened_ms=draw(TIMES),
        closed_ms=draw(TIMES),
        entry_ticks=draw(TICKS),
        exit_ticks=draw(TICKS),
        entry_cost_e8=draw(MONEY),
        exit_value_e8=draw(MONEY),
        fees_e8=draw(MONEY),
        funding_e8=draw(MONEY),
        pnl_e8=draw(MONEY),
        reason=draw(TEXT),
        balance_after_e8=draw(MONEY),
    )
    return TradeClosed(at_ms=draw(TIMES), bot=bot, trade=trade)


ANY_RECORD: st.SearchStrategy[AnyRecord] = st.one_of(orders(), reports(), positions(), trades(), decisions(), OTHERS)


def once(records: list[AnyRecord]) -> list[AnyRecord]:
    """Leave out what contradicts the rest: an order intended twice, a trade closed twice."""
    seen: set[object] = set()
    kept: list[AnyRecord] = []
    for record in records:
        key: object = None
        if isinstance(record, PlaceOrder):
            key = ("order", record.order.client_id)
        elif isinstance(record, TradeClosed):
            key = ("trade", record.trade.trade_id)
        if key is None or key not in seen:
            seen.add(key)
            kept.append(record)
    return kept


HISTORIES = st.lists(ANY_RECORD, max_size=40).map(once)
