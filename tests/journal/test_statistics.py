"""What the statistics say, on cases that can be computed by hand, and the laws they keep."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatta.domain.money import E8
from regatta.domain.order import Side
from regatta.domain.position import Trade
from regatta.journal.statistics import (
    DAY_MS,
    DayPnl,
    Statistics,
    annual_return,
    daily_pnl,
    daily_returns,
    drawdown,
    exposure,
    longest_run,
    roi,
    sharpe,
    sortino,
    statistics,
)

HOUR_MS = 3_600_000
INITIAL = 1_000 * E8
DAY_0 = 20_000 * DAY_MS


def trade(
    pnl_e8: int,
    closed_ms: int = DAY_0 + HOUR_MS,
    *,
    held_ms: int = HOUR_MS,
    fees_e8: int = 0,
    funding_e8: int = 0,
    reason: str = "signal",
    trade_id: str = "a-1",
) -> Trade:
    return Trade(
        trade_id=trade_id,
        bot="a",
        symbol="BTC/USDT",
        side=Side.BUY,
        lots=1,
        opened_ms=closed_ms - held_ms,
        closed_ms=closed_ms,
        entry_ticks=100,
        exit_ticks=101,
        entry_cost_e8=100 * E8,
        exit_value_e8=100 * E8 + pnl_e8 + fees_e8 + funding_e8,
        fees_e8=fees_e8,
        funding_e8=funding_e8,
        pnl_e8=pnl_e8,
        reason=reason,
        balance_after_e8=0,
    )


def in_a_row(*pnls: int) -> list[Trade]:
    return [trade(p, DAY_0 + (i + 1) * HOUR_MS, trade_id=f"a-{i}") for i, p in enumerate(pnls)]


def at_day_ends(*quotes: int) -> list[tuple[int, int]]:
    return [(DAY_0 + (i + 1) * DAY_MS, q * E8) for i, q in enumerate(quotes)]


# --- Of trades -------------------------------------------------------------------------------


def test_money_of_trades_is_summed_to_the_last_unit() -> None:
    trades = [trade(3, fees_e8=5, funding_e8=-2), trade(-7, fees_e8=1, funding_e8=9), trade(10**17 + 1)]
    stats = statistics(trades, (), INITIAL)
    assert (stats.pnl_e8, stats.fees_e8, stats.funding_e8) == (10**17 - 3, 6, 7)
    assert (stats.gross_profit_e8, stats.gross_loss_e8) == (10**17 + 4, 7)
    smallest = statistics([trade(1), trade(-1)], (), INITIAL)
    assert (smallest.gross_profit_e8, smallest.gross_loss_e8, smallest.profit_factor) == (1, 1, 1.0)


def test_a_trade_of_zero_is_neither_win_nor_loss_but_a_trade() -> None:
    stats = statistics(in_a_row(5, 0, -5, 5), (), INITIAL)
    assert (stats.trades, stats.wins, stats.losses, stats.win_rate) == (4, 2, 1, 0.5)


def test_profit_factor_expectancy_and_roi_of_a_small_hand() -> None:
    stats = statistics(in_a_row(30 * E8, -10 * E8, 10 * E8, -10 * E8), (), INITIAL)
    assert stats.profit_factor == 2.0
    assert stats.expectancy_e8 == 5 * E8
    assert stats.roi == 0.02


def test_without_a_loss_the_profit_factor_is_undefined_not_infinite() -> None:
    assert statistics(in_a_row(1, 2), (), INITIAL).profit_factor is None


def test_expectancy_in_r_needs_the_risk_of_every_trade() -> None:
    trades = in_a_row(20, -10, 5)
    risks = {"a-0": 10, "a-1": 10, "a-2": 10}
    assert statistics(trades, (), INITIAL, risks_e8=risks).expectancy_r == 0.5
    assert statistics(trades, (), INITIAL, risks_e8={"a-0": 10, "a-1": 10}).expectancy_r is None
    assert statistics(trades, (), INITIAL).expectancy_r is None


def test_best_and_worst_are_the_trades_themselves() -> None:
    trades = in_a_row(5, -8, 11)
    stats = statistics(trades, (), INITIAL)
    assert (stats.best, stats.worst) == (trades[2], trades[1])


def test_streaks_follow_the_time_of_closing_and_a_zero_ends_them() -> None:
    trades = in_a_row(1, 1, 0, 1, -1, -1, -1, 1)
    stats = statistics(trades[::2] + trades[1::2], (), INITIAL)
    assert (stats.longest_win_streak, stats.longest_loss_streak) == (2, 3)
    assert longest_run([]) == 0


def test_average_holding_time_is_the_mean_from_opening_to_closing() -> None:
    trades = [trade(1, held_ms=HOUR_MS), trade(1, held_ms=2 * HOUR_MS)]
    assert statistics(trades, (), INITIAL).average_holding_ms == 1.5 * HOUR_MS


def test_a_trade_ended_by_the_data_is_counted_apart_but_its_money_counts() -> None:
    last = trade(-100 * E8, DAY_0 + 9 * HOUR_MS, held_ms=5 * HOUR_MS, fees_e8=3, reason="end_of_data")
    stats = statistics([*in_a_row(50 * E8, -10 * E8), last], (), INITIAL)
    assert (stats.trades, stats.end_of_data, stats.wins, stats.losses) == (2, 1, 1, 1)
    assert (stats.pnl_e8, stats.end_of_data_pnl_e8, stats.fees_e8) == (-60 * E8, -100 * E8, 3)
    assert stats.expectancy_e8 == 20 * E8
    assert stats.worst is not None
    assert stats.worst.pnl_e8 == -10 * E8
    assert stats.average_holding_ms == HOUR_MS
    assert stats.roi == -0.06
    assert stats.profit_factor == 50 / 110
    assert stats.daily == (DayPnl(DAY_0, -60 * E8, 2),)


def test_a_close_at_midnight_is_of_the_day_that_begins() -> None:
    trades = [trade(1, DAY_0 + DAY_MS - 1), trade(2, DAY_0 + DAY_MS), trade(4, DAY_0 + DAY_MS + 5)]
    assert daily_pnl(trades) == (DayPnl(DAY_0, 1, 1), DayPnl(DAY_0 + DAY_MS, 6, 2))


def test_a_day_can_begin_at_another_hour() -> None:
    eight = 8 * HOUR_MS
    trades = [trade(1, DAY_0 + eight - 1), trade(2, DAY_0 + eight)]
    assert daily_pnl(trades, eight) == (DayPnl(DAY_0 - DAY_MS + eight, 1, 1), DayPnl(DAY_0 + eight, 2, 1))


def test_exposure_counts_overlapping_positions_once_and_only_within_the_period() -> None:
    assert exposure([(-5, 10), (5, 20), (8, 9), (90, 200)], 0, 100) == 0.3
    assert exposure([(-9, -3)], 0, 100) == 0
    assert exposure([(0, 1)], 100, 100) is None


def test_a_position_still_open_is_exposed_until_the_end() -> None:
    stats = statistics((), [(50, INITIAL)], INITIAL, started_ms=0, ended_ms=100, open_since_ms=75)
    assert stats.exposure == 0.25


def test_a_deposit_splits_the_period_and_roi_is_compounded() -> None:
    trades = [trade(100 * E8, 10, held_ms=1), trade(-210 * E8, 30, held_ms=1)]
    # 1,000 -> 1,100 is +10 %; 1,000 more; 2,100 -> 1,890 is -10 %.
    assert roi(trades, INITIAL, [(20, 1_000 * E8)]) == pytest.approx(1.1 * 0.9 - 1)
    assert roi(trades, INITIAL) == pytest.approx(-0.11)


def test_a_trade_that_closes_with_a_transfer_belongs_to_the_part_before() -> None:
    assert roi([trade(100 * E8, 20)], INITIAL, [(20, 1_000 * E8)]) == pytest.approx(0.1)


def test_a_transfer_at_the_start_is_part_of_the_initial_balance() -> None:
    trades, equity, deposit = [trade(100 * E8)], at_day_ends(1_100, 1_100), [(DAY_0, 1_000 * E8)]
    stats = statistics(trades, equity, INITIAL, started_ms=DAY_0, transfers=deposit)
    assert stats == statistics(trades, equity, INITIAL, started_ms=DAY_0)


def test_roi_of_a_balance_that_is_not_there_is_undefined() -> None:
    assert roi([trade(1)], 0) is None
    assert roi([], 0) is None
    assert roi([trade(5 * E8, 30)], 0, [(20, 100 * E8)]) == pytest.approx(0.05)


# --- Of equity -------------------------------------------------------------------------------


def test_sharpe_of_two_days_by_hand() -> None:
    # Mean 0.02, deviation with ddof 1 sqrt(2 * 0.01**2) = 0.01 * sqrt(2).
    assert sharpe([0.01, 0.03]) == pytest.approx(0.02 / (0.01 * math.sqrt(2)) * math.sqrt(365))


def test_sortino_takes_its_downside_over_all_days() -> None:
    # Downside deviation sqrt(0.02**2 / 4) = 0.01, mean 0.01.
    assert sortino([0.03, -0.02, 0.03, 0.0]) == pytest.approx(math.sqrt(365))


def test_ratios_are_undefined_for_one_day_for_none_and_without_spread() -> None:
    for returns in ([], [0.01], [0.01, 0.01, 0.01]):
        assert sharpe(returns) is None
        assert sortino(returns) is None


def test_equity_is_marked_at_the_end_of_each_day_and_a_begun_day_waits() -> None:
    equity = [
        (DAY_0 + 5 * HOUR_MS, 900 * E8),
        (DAY_0 + DAY_MS, 1_100 * E8),  # midnight: still the first day's
        (DAY_0 + 3 * DAY_MS - 1, 1_210 * E8),  # the third day's
        (DAY_0 + 3 * DAY_MS + HOUR_MS, 5_000 * E8),
    ]
    assert daily_returns(equity, INITIAL, DAY_0) == pytest.approx([0.1, 0.0, 0.1])


def test_a_day_without_a_mark_has_a_return_of_zero() -> None:
    equity = [(DAY_0 + DAY_MS, 1_100 * E8), (DAY_0 + 3 * DAY_MS, 1_210 * E8)]
    assert daily_returns(equity, INITIAL, DAY_0) == pytest.approx([0.1, 0.0, 0.1])


def test_a_deposit_is_no_return_and_no_new_peak() -> None:
    equity = at_day_ends(1_100, 2_100, 1_890)
    deposit = [(DAY_0 + DAY_MS + HOUR_MS, 1_000 * E8)]
    assert daily_returns(equity, INITIAL, DAY_0, transfers=deposit) == pytest.approx([0.1, 0.0, -0.1])
    stats = statistics((), equity, INITIAL, started_ms=DAY_0, transfers=deposit)
    assert stats.drawdown is not None
    assert stats.drawdown.depth == pytest.approx(0.1)
    assert stats.drawdown.depth_e8 is None


def test_a_withdrawal_is_no_drawdown() -> None:
    stats = statistics((), at_day_ends(1_000, 400, 400), INITIAL, started_ms=DAY_0, transfers=[(DAY_0 + 1, 0)])
    assert stats.drawdown is not None
    assert stats.drawdown.depth == pytest.approx(0.6)
    taken_out = [(DAY_0 + 2 * DAY_MS, -600 * E8)]
    stats = statistics((), at_day_ends(1_000, 400, 400), INITIAL, started_ms=DAY_0, transfers=taken_out)
    assert stats.drawdown is not None
    assert stats.drawdown.depth == 0


def test_drawdown_depth_and_length_by_hand() -> None:
    fall = drawdown([(10, 1_200), (20, 900), (30, 1_100), (50, 1_200), (60, 1_150)], 1_000, 0)
    assert fall is not None
    assert (fall.depth, fall.depth_e8) == (0.25, 300)
    assert (fall.peak_ms, fall.trough_ms, fall.recovered_ms) == (10, 20, 50)
    assert (fall.length_ms, fall.longest_ms) == (40, 40)


def test_a_drawdown_that_lasts_is_as_long_as_the_series_and_the_longest_may_be_another() -> None:
    fall = drawdown([(10, 999), (90, 1_000), (95, 500), (100, 600)], 1_000, 0)
    assert fall is not None
    assert (fall.depth, fall.peak_ms, fall.recovered_ms, fall.length_ms, fall.longest_ms) == (0.5, 90, None, 10, 90)


def test_equity_that_never_falls_has_a_drawdown_of_zero_and_no_calmar() -> None:
    stats = statistics((), at_day_ends(1_000, 1_001), INITIAL, started_ms=DAY_0)
    assert stats.drawdown is not None
    assert (stats.drawdown.depth, stats.drawdown.length_ms, stats.drawdown.longest_ms) == (0.0, 0, 0)
    assert stats.drawdown.recovered_ms is None
    assert stats.calmar is None


def test_calmar_is_the_growth_of_a_year_over_the_deepest_fall() -> None:
    equity = [(DAY_0 + 100 * DAY_MS, 800 * E8), (DAY_0 + 730 * DAY_MS, 1_440 * E8)]
    stats = statistics((), equity, INITIAL, started_ms=DAY_0)
    assert stats.annual_return == pytest.approx(0.2)
    assert stats.calmar == pytest.approx(1.0)


def test_growth_of_hours_is_not_stretched_to_a_year() -> None:
    assert annual_return(1.1, DAY_MS - 1) is None
    assert annual_return(1e9, DAY_MS) is None
    assert annual_return(-0.5, DAY_MS) == -1.0


def test_ratios_of_a_ruined_account_are_undefined_but_its_drawdown_is_whole() -> None:
    stats = statistics((), at_day_ends(500, 0, 0, 0), INITIAL, started_ms=DAY_0)
    assert (stats.sharpe, stats.sortino) == (None, None)
    assert stats.drawdown is not None
    assert stats.drawdown.depth == 1.0
    assert stats.calmar == -1.0


# --- Of a period -----------------------------------------------------------------------------


def test_nothing_traded_yet_is_zero_or_undefined_never_nan() -> None:
    stats = statistics((), (), INITIAL)
    assert (stats.trades, stats.pnl_e8, stats.roi, stats.days, stats.daily) == (0, 0, 0.0, 0, ())
    for name in ("win_rate", "profit_factor", "expectancy_e8", "best", "average_holding_ms", "exposure", "sharpe"):
        assert getattr(stats, name) is None
    assert not stats.reliable


@pytest.mark.parametrize(("trades", "days", "reliable"), [(30, 30, True), (29, 30, False), (30, 29, False)])
def test_figures_are_reliable_from_30_trades_and_30_days_on(trades: int, days: int, reliable: bool) -> None:
    stats = statistics(in_a_row(*[1] * trades), at_day_ends(*[1_000] * days), INITIAL, started_ms=DAY_0)
    assert (stats.trades, stats.days, stats.reliable) == (trades, days, reliable)


def test_trades_ended_by_the_data_do_not_make_figures_reliable() -> None:
    trades = [*in_a_row(*[1] * 29), trade(1, reason="end_of_data")]
    assert not statistics(trades, at_day_ends(*[1_000] * 30), INITIAL, started_ms=DAY_0).reliable


def test_the_period_is_that_of_marks_and_trades_unless_it_is_given() -> None:
    stats = statistics([trade(1, DAY_0, held_ms=HOUR_MS)], [(DAY_0 + 7, INITIAL)], INITIAL)
    assert (stats.started_ms, stats.ended_ms) == (DAY_0 - HOUR_MS, DAY_0 + 7)
    assert stats.exposure == HOUR_MS / (HOUR_MS + 7)


def test_equity_of_floats_is_refused_since_it_could_hold_nan() -> None:
    with pytest.raises(ValueError, match="int64"):
        statistics((), np.array([[0.0, math.nan]]), INITIAL)


def test_equity_out_of_order_or_outside_the_period_is_refused() -> None:
    with pytest.raises(ValueError, match="mark 1 is earlier"):
        statistics((), [(5, 1), (4, 1)], INITIAL)
    with pytest.raises(ValueError, match="before the period"):
        statistics((), [(5, 1)], INITIAL, started_ms=6)
    with pytest.raises(ValueError, match="after the period"):
        statistics((), [(5, 1)], INITIAL, ended_ms=4)


def test_arrays_and_pairs_say_the_same() -> None:
    pairs = at_day_ends(1_100, 900, 1_000)
    assert statistics((), np.array(pairs), INITIAL, started_ms=DAY_0) == statistics(
        (), pairs, INITIAL, started_ms=DAY_0
    )


# --- Laws ------------------------------------------------------------------------------------

LAW = settings(deadline=None, derandomize=True)
PNLS = st.lists(st.integers(-(10**18), 10**18) | st.integers(-2, 2), max_size=30)
EQUITY = st.lists(st.integers(1, 10**15), min_size=1, max_size=40)
STEPS = st.lists(st.tuples(st.integers(0, 2 * DAY_MS), st.integers(-(10**12), 10**15)), max_size=40)


def timed(values: Sequence[int], start: int = 1) -> list[tuple[int, int]]:
    return list(enumerate(values, start))


@LAW
@given(PNLS, st.randoms(use_true_random=False), st.lists(st.booleans(), min_size=30, max_size=30))
def test_all_money_adds_up_whatever_the_order(pnls: list[int], random: object, ended: list[bool]) -> None:
    trades = [
        trade(p, DAY_0 + i * 7 * HOUR_MS, fees_e8=abs(p) // 3, reason="end_of_data" if e else "signal")
        for i, (p, e) in enumerate(zip(pnls, ended, strict=False))
    ]
    shuffled = list(trades)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    stats = statistics(trades, (), INITIAL)
    assert statistics(shuffled, (), INITIAL).pnl_e8 == stats.pnl_e8 == sum(pnls)
    assert stats.gross_profit_e8 - stats.gross_loss_e8 == stats.pnl_e8
    assert sum(day.pnl_e8 for day in stats.daily) == stats.pnl_e8
    assert sum(day.trades for day in stats.daily) == stats.trades
    assert stats.trades + stats.end_of_data == len(pnls)
    assert stats.wins + stats.losses <= stats.trades


@LAW
@given(EQUITY, st.data())
def test_a_series_split_anywhere_has_the_drawdown_of_the_whole(values: list[int], data: st.DataObject) -> None:
    initial = 10**10
    cut = data.draw(st.integers(1, len(values)))
    whole = drawdown(timed(values), initial, 0)
    head = drawdown(timed(values[:cut]), initial, 0)
    assert whole is not None
    assert head is not None
    tail = drawdown(timed(values[cut:], cut + 1), max(initial, *values[:cut]), cut)
    assert whole.depth == max(head.depth, tail.depth if tail else 0.0)


@LAW
@given(EQUITY)
def test_drawdown_is_the_worst_of_all_pairs(values: list[int]) -> None:
    initial = 10**10
    path = [initial, *values]
    worst = max((path[i] - path[j]) / path[i] for i in range(len(path)) for j in range(i, len(path)))
    fall = drawdown(timed(values), initial, 0)
    assert fall is not None
    assert fall.depth == max(0.0, worst)
    assert fall.peak_ms <= fall.trough_ms <= fall.peak_ms + fall.length_ms
    assert fall.length_ms <= fall.longest_ms <= len(values)


@LAW
@given(EQUITY)
def test_a_mark_seen_twice_changes_no_drawdown(values: list[int]) -> None:
    doubled = [point for point in timed(values) for _ in range(2)]
    assert drawdown(doubled, 10**10, 0) == drawdown(timed(values), 10**10, 0)


@LAW
@given(st.lists(st.integers(10**8, 10**12), min_size=1, max_size=20))
def test_daily_returns_compound_to_the_growth_of_equity(values: list[int]) -> None:
    equity = [(DAY_0 + (i + 1) * DAY_MS, v) for i, v in enumerate(values)]
    returns = daily_returns(equity, 10**10, DAY_0)
    assert returns is not None
    assert math.prod(1 + r for r in returns) == pytest.approx(values[-1] / 10**10, rel=1e-8)


@LAW
@given(PNLS, STEPS, STEPS, st.integers(-1, 10**12))
def test_no_nan_or_infinity_ever_leaves(
    pnls: list[int], steps: list[tuple[int, int]], moves: list[tuple[int, int]], initial_e8: int
) -> None:
    at_ms, equity = DAY_0, []
    for step, value in steps:
        at_ms += step
        equity.append((at_ms, value))
    transfers = [(DAY_0 + 3 * step, amount) for step, amount in moves]
    trades = [trade(p, DAY_0 + (i + 1) * HOUR_MS) for i, p in enumerate(pnls)]
    for given_transfers in ((), transfers):
        stats = statistics(trades, equity, initial_e8, started_ms=DAY_0, transfers=given_transfers)
        figures = [getattr(stats, name) for name in Statistics.__struct_fields__]
        if stats.drawdown is not None:
            figures += msgspec.structs.astuple(stats.drawdown)
        assert all(math.isfinite(f) for f in figures if isinstance(f, float))
        assert msgspec.json.decode(msgspec.json.encode(stats), type=Statistics) == stats
