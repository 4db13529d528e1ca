"""What the simulated venue does with one order at a time."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

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
from regatta.domain.order import Fill, Order, OrderKind, OrderRole, Side
from regatta.sim.dice import Dice
from regatta.sim.venue import Frictions, SimulatedVenue
from tests.scripted import MINUTE, instruments

A = "AAA/USDT:USDT"  # tick 0.1, lot 0.001


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "client_id": "T-1",
        "bot": "V1",
        "symbol": A,
        "side": Side.BUY,
        "kind": OrderKind.MARKET,
        "role": OrderRole.ENTRY,
        "lots": 1_000,
        "position_id": "V1-1",
    }
    return Order(**{**fields, **changes})  # type: ignore[arg-type]


def candle(open_: float, high: float, low: float, close: float, volume: float = 1e6) -> Candle:
    return Candle(A, "1m", 0, MINUTE, open_, high, low, close, volume)


def fills(reports: Sequence[VenueReport]) -> list[Fill]:
    return [report.fill for report in reports if isinstance(report, OrderFilled)]


@pytest.fixture
def venue() -> SimulatedVenue:
    return SimulatedVenue("test", instruments(), Frictions(slippage=0.001))


def long_with(venue: SimulatedVenue, *exits: Order) -> None:
    """Give V1 a long position of 1,000 lots and rest its exits."""
    venue.hold_position("V1", A, 1_000)
    for exit_ in exits:
        assert isinstance(venue.take(exit_, 0)[0], OrderAccepted)


def stop(ticks: int, client_id: str = "T-S", **changes: object) -> Order:
    return order(
        client_id=client_id, side=Side.SELL, kind=OrderKind.STOP, role=OrderRole.STOP, reduce_only=True,
        trigger_ticks=ticks, **changes,
    )  # fmt: skip


def target(ticks: int, client_id: str = "T-T", **changes: object) -> Order:
    return order(
        client_id=client_id, side=Side.SELL, kind=OrderKind.LIMIT, role=OrderRole.TARGET, reduce_only=True,
        price_ticks=ticks, **changes,
    )  # fmt: skip


def test_a_market_order_meets_the_next_open_with_slippage_against_it(venue: SimulatedVenue) -> None:
    venue.take(order(), 0)
    (fill,) = fills(venue.opened(CandleOpened(A, MINUTE, 100.0)))
    assert (fill.price_ticks, fill.lots, fill.at_ms, fill.liquidity) == (1001, 1_000, MINUTE, "taker")
    assert fill.fee_e8 == 100_100_000 * 50_000 * 100 // 10**8 * 1  # 0.05 % of 100.10
    assert fills(venue.opened(CandleOpened(A, 2 * MINUTE, 100.0))) == []


def test_a_stop_inside_the_candle_fills_at_the_stop_less_slippage(venue: SimulatedVenue) -> None:
    long_with(venue, stop(980))
    (fill,) = fills(venue.match(candle(100.0, 101.0, 97.0, 99.0)))
    assert fill.price_ticks == 979


def test_a_gap_beyond_the_stop_fills_at_the_open(venue: SimulatedVenue) -> None:
    long_with(venue, stop(980))
    (fill,) = fills(venue.match(candle(95.0, 96.0, 94.0, 95.0)))
    assert fill.price_ticks == 949


def test_where_both_lie_inside_the_stop_comes_first(venue: SimulatedVenue) -> None:
    long_with(venue, target(1050), stop(980))
    (fill,) = fills(venue.match(candle(100.0, 106.0, 97.0, 99.0)))
    assert fill.client_id == "T-S"


def test_a_target_fills_at_its_price_or_a_better_open_as_maker(venue: SimulatedVenue) -> None:
    long_with(venue, target(1050))
    (fill,) = fills(venue.match(candle(107.0, 108.0, 106.0, 107.0)))
    assert (fill.price_ticks, fill.liquidity) == (1070, "maker")


def test_only_the_nearest_target_is_acted_on_then_the_stop_as_it_was_moved(venue: SimulatedVenue) -> None:
    long_with(venue, target(1050, "T-T1", lots=400), target(1100, "T-T2", lots=600), stop(900))
    wide = candle(100.0, 120.0, 99.0, 118.0)
    assert [f.client_id for f in fills(venue.match(wide))] == ["T-T1"]
    venue.take(stop(1000, "T-S2", lots=600), 0)
    assert [f.client_id for f in fills(venue.settle(wide))] == ["T-S2"]


def test_settling_leaves_positions_alone_whose_target_was_not_touched(venue: SimulatedVenue) -> None:
    long_with(venue, stop(980))
    quiet = candle(100.0, 101.0, 99.0, 100.0)
    assert venue.match(quiet) == []
    assert venue.settle(quiet) == ()


def test_reduce_only_never_opens_a_position(venue: SimulatedVenue) -> None:
    (report,) = venue.take(stop(980), 0)
    assert isinstance(report, OrderRefused)
    venue.hold_position("V1", A, 300)
    venue.take(order(client_id="T-X", side=Side.SELL, reduce_only=True, role=OrderRole.EXIT), 0)
    reports = venue.opened(CandleOpened(A, MINUTE, 100.0))
    assert [f.lots for f in fills(reports)] == [300]
    assert isinstance(reports[-1], OrderCanceled)


def test_the_same_client_id_sent_twice_is_one_order(venue: SimulatedVenue) -> None:
    venue.take(order(), 0)
    assert venue.take(order(), 0) == ()
    assert len(fills(venue.opened(CandleOpened(A, MINUTE, 100.0)))) == 1


def test_cancelled_orders_do_not_fill(venue: SimulatedVenue) -> None:
    venue.take(order(), 0)
    (report,) = asyncio.run(venue.cancel("T-1", A, 0))
    assert isinstance(report, OrderCanceled)
    assert asyncio.run(venue.cancel("T-1", A, 0)) == ()
    assert venue.opened(CandleOpened(A, MINUTE, 100.0)) == ()


def test_a_limit_on_volume_carries_the_rest_to_the_next_candle() -> None:
    venue = SimulatedVenue("test", instruments(), Frictions(participation=0.1))
    venue.remember(candle(100.0, 100.0, 100.0, 100.0, volume=6.0))
    venue.take(order(), 0)
    first = fills(venue.opened(CandleOpened(A, MINUTE, 100.0)))
    second = fills(venue.opened(CandleOpened(A, 2 * MINUTE, 100.0)))
    assert [f.lots for f in (*first, *second)] == [600, 400]
    assert [f.fill_id for f in (*first, *second)] == ["T-1.600", "T-1.1000"]


def test_a_split_order_arrives_in_two_fills_determined_by_the_seed() -> None:
    def parts(seed: int) -> list[int]:
        venue = SimulatedVenue("test", instruments(), Frictions(split_probability=1.0), Dice(seed))
        venue.take(order(), 0)
        return [f.lots for f in fills(venue.opened(CandleOpened(A, MINUTE, 100.0)))]

    assert len(parts(1)) == 2
    assert sum(parts(1)) == 1_000
    assert parts(1) == parts(1) != parts(2)


def test_longs_pay_positive_funding_and_shorts_receive_it(venue: SimulatedVenue) -> None:
    venue.hold_position("V1", A, 1_000)
    venue.hold_position("V2", A, -1_000)
    reports = venue.funding(FundingSettled(A, MINUTE, 10_000, 1_000))
    assert [(r.bot, r.amount_e8) for r in reports if isinstance(r, FundingPaid)] == [
        ("V1", 1_000_000),
        ("V2", -1_000_000),
    ]


def test_unknown_symbols_and_tiny_orders_are_refused_with_the_reason(venue: SimulatedVenue) -> None:
    reasons = [venue.take(o, 0)[0] for o in (order(symbol="ZZZ/USDT"), order(client_id="T-2", lots=0))]
    assert [r.reason for r in reasons if isinstance(r, OrderRefused)] == [
        "unknown symbol ZZZ/USDT",
        "quantity below the minimum of 0.001",
    ]


def test_orders_are_messages_that_survive_the_journal() -> None:
    sent = stop(980)
    assert msgspec.json.decode(msgspec.json.encode(sent), type=Order) == sent
