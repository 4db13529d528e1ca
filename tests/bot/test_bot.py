"""What one bot does, event by event."""

from collections.abc import Sequence
from math import inf

from regatta.bot.book import Book
from regatta.bot.bot import Bot
from regatta.domain.candle import Candle
from regatta.domain.events import (
    AnyRecord,
    BotStateChanged,
    CancelOrder,
    CandleClosed,
    CloseTimePassed,
    DecisionTaken,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    PlaceOrder,
    PositionChanged,
    TradeClosed,
)
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, Side
from regatta.risk.rules import RiskRules
from tests.scripted import INITIAL, MINUTE, ScriptedSeries, instruments

A, B = "AAA/USDT:USDT", "BBB/USDT:USDT"
ENTER, EXIT = 1, 2


class Harness:
    """A bot on scripted signals, one price for everything, and a memory of what it asked for."""

    def __init__(self, script: dict[str, dict[int, int]], rules: RiskRules | None = None) -> None:
        minutes = range(1, 20)
        series = {
            symbol: ScriptedSeries({m * MINUTE: bits.get(m, 0) for m in minutes}, {m * MINUTE: 100.0 for m in minutes})
            for symbol, bits in script.items()
        }
        table = {symbol: instrument for symbol, instrument in instruments().items() if symbol in script}
        self.book = Book("V1", table, INITIAL)
        self.bot = Bot(
            name="V1",
            tag="TEST",
            timeframe="1m",
            series=series,
            rules=rules or RiskRules(),
            slippage=0.0,
            book=self.book,
            outputs=(1, 2, 4, 8),
        )

    def close(self, minute: int, *symbols: str, price: float = 100.0) -> list[AnyRecord]:
        """Close the candles of this minute for the symbols."""
        records: list[AnyRecord] = []
        for symbol in symbols:
            candle = Candle(symbol, "1m", (minute - 1) * MINUTE, minute * MINUTE, price, price, price, price, 1.0)
            records.extend(self.bot.on(CandleClosed(candle)))
        return records

    def fill(self, order: Order, price: float, lots: int | None = None, part: int = 1) -> Sequence[AnyRecord]:
        instrument = self.book.instruments[order.symbol]
        fill = Fill(
            fill_id=f"{order.client_id}.{part}",
            client_id=order.client_id,
            bot="V1",
            symbol=order.symbol,
            side=order.side,
            lots=lots or order.lots,
            price_ticks=instrument.ticks(price),
            fee_e8=1_000,
            liquidity="taker",
            at_ms=5 * MINUTE,
        )
        return self.bot.on(OrderFilled(at_ms=5 * MINUTE, bot="V1", fill=fill))


def orders(records: Sequence[AnyRecord]) -> list[Order]:
    return [record.order for record in records if isinstance(record, PlaceOrder)]


def decisions(records: Sequence[AnyRecord]) -> list[tuple[str, str, str]]:
    return [
        (r.decision.signal.symbol, r.decision.action, r.decision.reason)
        for r in records
        if isinstance(r, DecisionTaken)
    ]


def test_a_round_is_decided_when_its_last_candle_is_in() -> None:
    harness = Harness({A: {1: ENTER}, B: {}})
    assert harness.close(1, A) == []
    assert decisions(harness.close(1, B))[0] == (A, "enter", "")


def test_a_round_that_stays_incomplete_is_decided_when_its_time_has_passed() -> None:
    harness = Harness({A: {1: ENTER}, B: {}})
    harness.close(1, A)
    assert decisions(harness.bot.on(CloseTimePassed("1m", MINUTE)))[0] == (A, "enter", "")


def test_a_candle_that_comes_after_its_round_may_exit_but_not_enter() -> None:
    harness = Harness({A: {1: ENTER}, B: {1: ENTER, 2: EXIT | ENTER}})
    entry = orders(harness.close(1, A, B))
    harness.fill(entry[1], 100.0)
    harness.close(2, A)
    harness.bot.on(CloseTimePassed("1m", 2 * MINUTE))
    assert decisions(harness.close(2, B)) == [(B, "exit", "")]


def test_an_entry_that_fills_brings_its_stop_and_target_in_the_same_answer() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    answer = harness.fill(entry, 100.0)
    stop, target = orders(answer)
    assert (stop.kind, stop.role, stop.side, stop.reduce_only) == (OrderKind.STOP, OrderRole.STOP, Side.SELL, True)
    assert (stop.trigger_ticks, target.price_ticks) == (980, 1050)
    assert stop.lots == target.lots == entry.lots
    changed = [r for r in answer if isinstance(r, PositionChanged)]
    assert (changed[0].position.stop_ticks, changed[0].position.target_ticks) == (980, 1050)


def test_a_partial_fill_is_protected_at_once_and_the_rest_when_it_comes() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    first = harness.fill(entry, 100.0, lots=10, part=1)
    assert [order.lots for order in orders(first)] == [10, 10]
    second = harness.fill(entry, 101.0, lots=entry.lots - 10, part=2)
    assert [order.lots for order in orders(second)] == [entry.lots, entry.lots]
    kinds = [type(r).__name__ for r in second]
    assert kinds == ["PlaceOrder", "PlaceOrder", "CancelOrder", "CancelOrder", "PositionChanged"]
    cancelled = {r.client_id for r in second if isinstance(r, CancelOrder)}
    assert cancelled == {order.client_id for order in orders(first)}


def test_a_fill_that_arrives_twice_is_booked_once() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    harness.fill(entry, 100.0)
    balance, lots = harness.book.balance_e8, harness.book.positions[A].lots
    harness.fill(entry, 100.0)
    assert (harness.book.balance_e8, harness.book.positions[A].lots) == (balance, lots)


def test_a_stop_that_fills_closes_the_trade_and_cancels_the_target() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    stop, target = orders(harness.fill(entry, 100.0))
    answer = harness.fill(stop, 98.0)
    (trade,) = [r.trade for r in answer if isinstance(r, TradeClosed)]
    assert (trade.reason, trade.lots) == ("stop_loss", entry.lots)
    assert trade.pnl_e8 == trade.exit_value_e8 - trade.entry_cost_e8 - 2_000
    assert harness.book.balance_e8 == INITIAL + trade.pnl_e8
    assert [r.client_id for r in answer if isinstance(r, CancelOrder)] == [target.client_id]


def test_a_refused_stop_closes_the_position_at_market() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    stop, _ = orders(harness.fill(entry, 100.0))
    (exit_,) = orders(harness.bot.on(OrderRefused(at_ms=1, bot="V1", client_id=stop.client_id, reason="no")))
    assert (exit_.kind, exit_.reason, exit_.lots) == (OrderKind.MARKET, "stop_refused", entry.lots)
    assert "stop_loss refused by the venue: no" in harness.bot.last_error


def test_a_stop_that_the_venue_cancels_is_placed_again() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    stop, _ = orders(harness.fill(entry, 100.0))
    gone = OrderCanceled(at_ms=1, bot="V1", client_id=stop.client_id, reason="venue")
    (again,) = orders(harness.bot.on(gone))
    assert (again.role, again.trigger_ticks, again.lots) == (OrderRole.STOP, stop.trigger_ticks, stop.lots)
    assert again.client_id != stop.client_id


def test_entries_beyond_the_positions_allowed_are_held_back_with_the_reason() -> None:
    harness = Harness({A: {1: ENTER}, B: {1: ENTER}}, RiskRules(max_positions=1))
    assert decisions(harness.close(1, A, B)) == [(A, "enter", ""), (B, "held_back", "max_positions")]


def test_a_slot_is_free_when_the_exit_has_filled_not_when_it_was_decided() -> None:
    harness = Harness({A: {1: ENTER, 2: EXIT}, B: {2: ENTER, 3: ENTER}}, RiskRules(max_positions=1))
    (entry,) = orders(harness.close(1, A, B))
    harness.fill(entry, 100.0)
    at_two = harness.close(2, A, B)
    assert decisions(at_two) == [(A, "exit", ""), (B, "held_back", "max_positions")]
    harness.fill(orders(at_two)[0], 100.0)
    assert decisions(harness.close(3, A, B)) == [(B, "enter", "")]


def test_a_paused_bot_exits_but_does_not_enter() -> None:
    harness = Harness({A: {1: ENTER, 2: EXIT}, B: {2: ENTER}})
    (entry,) = orders(harness.close(1, A, B))
    harness.fill(entry, 100.0)
    harness.bot.on(BotStateChanged(at_ms=1, bot="V1", state="paused", by="test"))
    assert decisions(harness.close(2, A, B)) == [(A, "exit", ""), (B, "held_back", "paused")]


def test_stopping_cancels_entries_that_have_not_filled() -> None:
    harness = Harness({A: {1: ENTER}})
    (entry,) = orders(harness.close(1, A))
    answer = harness.bot.on(BotStateChanged(at_ms=1, bot="V1", state="stopped", by="test"))
    assert [r.client_id for r in answer if isinstance(r, CancelOrder)] == [entry.client_id]


def test_what_is_below_the_minimum_says_what_was_free_and_what_is_needed() -> None:
    harness = Harness({A: {1: ENTER}}, RiskRules(amount=1e-9))
    (record,) = [r for r in harness.close(1, A) if isinstance(r, DecisionTaken)]
    assert record.decision.reason == "below_minimum"
    assert record.decision.detail == "free 10000.00 USDT; smallest order 0.001 and 5 USDT"


def test_every_hold_is_counted_under_the_check_that_failed_first() -> None:
    harness = Harness({A: {3: ENTER}, B: {}})
    for minute in (1, 2, 3):
        harness.close(minute, A, B)
    assert harness.bot.holds() == {"scripted": 5}
    taken = harness.bot.take_holds(3 * MINUTE)
    assert taken is not None
    assert taken.holds == {A: {"scripted": 2}, B: {"scripted": 3}}
    assert harness.bot.take_holds(3 * MINUTE) is None
    assert harness.bot.holds() == {"scripted": 5}


def test_without_stop_and_target_a_position_has_neither() -> None:
    harness = Harness({A: {1: ENTER}}, RiskRules(stop=inf, target=inf, sizing=2, amount=100.0))
    (entry,) = orders(harness.close(1, A))
    assert orders(harness.fill(entry, 100.0)) == []


def test_no_entry_is_made_before_the_startup_candles_are_over() -> None:
    harness = Harness({A: {1: ENTER, 2: ENTER, 3: ENTER}}, RiskRules(startup_candles=2))
    assert [decisions(harness.close(m, A)) for m in (1, 2, 3)] == [[], [], [(A, "enter", "")]]


def test_the_next_candle_ends_an_open_round_before_anything_of_it_is_known() -> None:
    harness = Harness({A: {1: ENTER}, B: {}})
    harness.close(1, A, price=100.0)
    records = harness.close(2, A, price=200.0)
    (decision,) = [r.decision for r in records if isinstance(r, DecisionTaken)]
    assert (decision.signal.close_ms, decision.signal.price) == (MINUTE, 100.0)


def test_a_candle_older_than_the_open_round_enters_nothing_now_or_later() -> None:
    harness = Harness({A: {}, B: {1: ENTER}})
    harness.close(2, A)
    assert decisions(harness.close(1, B)) == []
    harness.close(2, B)
    assert decisions(harness.close(3, A, B)) == []


def test_commands_of_an_answer_that_was_never_given_are_taken_back() -> None:
    harness = Harness({A: {1: ENTER, 2: EXIT}})
    (entry,) = orders(harness.close(1, A))
    harness.fill(entry, 100.0)
    intended = harness.book.intended
    (exit_,) = orders(harness.close(2, A))
    harness.bot.abandon()
    assert exit_.client_id not in harness.book.orders
    assert harness.book.intended == intended
    assert orders(harness.bot.close(A, 3)) != [], "it can still be closed by hand"
