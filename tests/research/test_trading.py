"""What a backtest does, worked out by hand. Tick 0.01, taker fee 0.1 %, maker fee 0.05 %, one coin."""

from math import inf

import msgspec

from regatta.domain.order import Side
from regatta.graph import Market, Rules, build, checks, ema, sma
from regatta.risk.rules import RiskRules
from regatta.risk.sizing import BY_AMOUNT, BY_PERCENT, BY_QUANTITY
from tests.research.scenes import (
    BUY,
    COVER,
    E8,
    GAP,
    INITIAL,
    MINUTE,
    ONE_COIN,
    SELL,
    SHORT,
    Bar,
    Charge,
    at,
    flat,
    only,
    play,
    play_together,
)

NO_LEVELS = msgspec.structs.replace(ONE_COIN, stop=inf, target=inf)


def test_a_signal_is_filled_at_the_next_open_and_costs_its_fees() -> None:
    trade = only(play(flat(100, BUY), Bar(101, 102, 101, 102, SELL), Bar(103, 103, 103, 103)))
    assert (trade.opened_ms, trade.closed_ms) == (at(1), at(2))
    assert (trade.entry_ticks, trade.exit_ticks) == (10_100, 10_300)
    assert (trade.side, trade.lots, trade.reason) == (Side.BUY, 1_000, "signal")
    assert trade.fees_e8 == round(0.101 * E8) + round(0.103 * E8)
    assert trade.pnl_e8 == 2 * E8 - trade.fees_e8
    assert trade.balance_after_e8 == INITIAL + trade.pnl_e8


def test_slippage_goes_against_both_orders_and_is_rounded_against_them() -> None:
    trade = only(play(flat(100, BUY), flat(100, SELL), flat(100), slippage=0.00025))
    assert (trade.entry_ticks, trade.exit_ticks) == (10_003, 9_997)


def test_a_touched_stop_fills_at_the_stop() -> None:
    trade = only(play(flat(100, BUY), flat(100), Bar(99, 99, 97.5, 98.5)))
    assert (trade.reason, trade.exit_ticks, trade.closed_ms) == ("stop_loss", 9_800, at(3))


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    trade = only(play(flat(100, BUY), flat(100), Bar(95, 96, 94, 96)))
    assert (trade.reason, trade.exit_ticks) == ("stop_loss", 9_500)


def test_the_stop_comes_before_the_target_in_one_candle() -> None:
    trade = only(play(flat(100, BUY), flat(100), Bar(100, 110, 97, 109)))
    assert (trade.reason, trade.exit_ticks) == ("stop_loss", 9_800)


def test_the_entry_candle_can_hit_the_stop() -> None:
    trade = only(play(flat(100, BUY), Bar(100, 100, 97, 99)))
    assert (trade.reason, trade.opened_ms, trade.closed_ms) == ("stop_loss", at(1), at(2))


def test_levels_hang_on_the_actual_entry_not_on_the_decision() -> None:
    trade = only(play(flat(100, BUY), flat(110), Bar(110, 110, 107.8, 109)))
    assert (trade.entry_ticks, trade.exit_ticks) == (11_000, 10_780)


def test_a_target_fills_at_its_price_without_slippage_and_pays_the_maker_fee() -> None:
    trade = only(play(flat(100, BUY), flat(100), Bar(100, 107, 100, 106), slippage=0.01))
    assert (trade.entry_ticks, trade.reason, trade.exit_ticks) == (10_100, "take_profit", 10_605)
    assert trade.fees_e8 == round(0.101 * E8) + round(0.05 * 1.0605 * E8)


def test_a_better_open_improves_the_target() -> None:
    trade = only(play(flat(100, BUY), flat(100), Bar(107, 108, 107, 107)))
    assert (trade.reason, trade.exit_ticks) == ("take_profit", 10_700)


def test_an_exit_that_was_decided_comes_before_the_levels_of_its_candle() -> None:
    trade = only(play(flat(100, BUY), flat(100, SELL), Bar(99.5, 110, 90, 100)))
    assert (trade.reason, trade.exit_ticks, trade.closed_ms) == ("signal", 9_950, at(2))


def test_a_short_position_is_the_mirror_image() -> None:
    won = only(play(flat(100, SHORT), flat(100), Bar(99, 99, 94, 94)))
    assert (won.side, won.reason, won.exit_ticks) == (Side.SELL, "take_profit", 9_500)
    assert won.pnl_e8 == 5 * E8 - round(0.1 * E8) - round(0.0475 * E8)
    lost = only(play(flat(100, SHORT), flat(100), Bar(103, 103, 101, 101)))
    assert (lost.reason, lost.exit_ticks) == ("stop_loss", 10_300)
    left = only(play(flat(100, SHORT), flat(100, COVER), flat(101)))
    assert (left.reason, left.pnl_e8) == ("signal", -E8 - round(0.1 * E8) - round(0.101 * E8))


def test_funding_is_charged_to_what_was_open_before_the_settlement() -> None:
    """0.01 % on a mark of 200: 0.02 for a long position, from the candle after its entry on."""
    bars = [flat(100, BUY), flat(100), flat(100), flat(100, SELL), flat(100)]
    charges = [Charge(row, 10_000, 20_000) for row in range(len(bars))]
    trade = only(play(*bars, charges=charges, rules=NO_LEVELS))
    assert trade.funding_e8 == 3 * round(0.02 * E8), "charged at candles 2, 3 and 4, not at the entry's open"
    assert trade.pnl_e8 == -trade.fees_e8 - trade.funding_e8


def test_a_short_position_receives_positive_funding() -> None:
    trade = only(play(flat(100, SHORT), flat(100), flat(100), charges=[Charge(2, 10_000, 10_000)], rules=NO_LEVELS))
    assert trade.funding_e8 == -round(0.01 * E8)


def test_what_is_open_at_the_end_is_closed_at_the_last_close() -> None:
    result = play(flat(100, BUY), Bar(100, 101, 100, 101))
    trade = only(result)
    assert (trade.reason, trade.exit_ticks, trade.closed_ms) == ("end_of_data", 10_100, at(2))
    assert result.balance_e8 == INITIAL + trade.pnl_e8


def test_an_order_without_a_next_open_is_never_filled() -> None:
    assert play(flat(100), flat(100, BUY)).trades() == []


def test_a_slot_is_free_again_when_the_exit_has_filled_not_when_it_was_decided() -> None:
    result = play_together(
        {
            "AAA": [flat(100, BUY), flat(100, SELL), flat(100), flat(100)],
            "BBB": [flat(50), flat(50, BUY), flat(50, BUY), flat(50, SELL)],
        },
        NO_LEVELS,
    )
    assert [(t.symbol[:3], t.opened_ms) for t in result.trades()] == [("AAA", at(1)), ("BBB", at(3))]
    assert result.held_back == {"max_positions": 1}


def test_with_one_slot_the_first_symbol_by_name_gets_it() -> None:
    bars = [flat(100, BUY), flat(100), flat(100)]
    result = play_together({"BBB": bars, "AAA": bars, "CCC": bars}, NO_LEVELS)
    assert [t.symbol for t in result.trades()] == ["AAA/USDT:USDT"]
    assert result.held_back == {"max_positions": 2}


def test_the_highest_score_goes_first() -> None:
    """The score is the close: 100, 300, 200."""
    m = Market()
    graph = build(Rules(enter_long=checks(script=(m.volume > 0.5) & (m.volume < 1.5)), score=m.close))
    rules = msgspec.structs.replace(NO_LEVELS, max_positions=2)
    bars = {"AAA": [flat(100, BUY), flat(100)], "BBB": [flat(300, BUY), flat(300)], "CCC": [flat(200, BUY), flat(200)]}
    result = play_together(bars, rules, graph)
    assert [t.symbol[:3] for t in result.trades()] == ["BBB", "CCC"]


def test_equity_is_shared_and_free_margin_shrinks_with_each_entry() -> None:
    """Two entries of 60 % of equity: the second gets what is left of 99 % of the free equity."""
    rules = RiskRules(sizing=BY_PERCENT, amount=0.6, stop=inf, target=inf, max_positions=2)
    bars = [flat(100, BUY), flat(100)]
    first, second = play_together({"AAA": bars, "BBB": bars}, rules).trades()
    assert (first.lots, second.lots) == (60_000, 39_600)


def test_reasons_for_entries_that_were_not_made_are_counted() -> None:
    again = play(flat(100, BUY), flat(100, BUY), flat(100), rules=NO_LEVELS)
    assert again.held_back == {"in_position": 1}
    tiny = play(flat(100, BUY), flat(100), rules=RiskRules(sizing=BY_AMOUNT, amount=1.0))
    assert (tiny.trades(), tiny.held_back) == ([], {"below_minimum": 1})
    ruined = play(
        flat(100, BUY),
        flat(100),
        Bar(0.01, 0.01, 0.01, 0.01),
        flat(0.01, BUY),
        flat(0.01),
        rules=RiskRules(sizing=BY_QUANTITY, amount=1e6, leverage=20, stop=0.02, max_positions=1),
    )
    assert ruined.balance_e8 < 0
    assert ruined.held_back == {"no_balance": 1}


def test_no_entry_before_the_start_up_candles() -> None:
    bars = [flat(100, BUY), flat(100, SELL)] * 4
    result = play(*bars, rules=msgspec.structs.replace(NO_LEVELS, startup_candles=3))
    assert result.trades()[0].opened_ms == at(5), "candles 0 to 2 may not enter; 4 is the first that wants to"


def test_history_only_warms_up() -> None:
    bars = [flat(100, BUY), flat(100), flat(100, SELL), flat(100, BUY), flat(100)]
    result = play(*bars, rules=NO_LEVELS, from_ms=at(2))
    assert [t.opened_ms for t in result.trades()] == [at(4)]
    assert result.timeline.candles == 3


def test_history_counts_as_seen_for_the_start_up_candles() -> None:
    bars = [flat(100), flat(100), flat(100, BUY), flat(100)]
    rules = msgspec.structs.replace(NO_LEVELS, startup_candles=2)
    assert only(play(*bars, rules=rules, from_ms=at(2))).opened_ms == at(3)


def test_an_order_decided_before_a_gap_meets_the_first_open_after_it() -> None:
    trade = only(play(flat(100, BUY), GAP, GAP, flat(105), flat(105), rules=NO_LEVELS))
    assert (trade.opened_ms, trade.entry_ticks) == (at(3), 10_500)


def test_a_gap_restarts_the_warm_up() -> None:
    """The average of 3 candles is not known again until the third candle after the gap."""
    m = Market()
    graph = build(Rules(enter_long=checks(above=m.close > sma(m.close, 3))))
    rising = [flat(100 + i) for i in range(4)]
    result = play(*rising, GAP, *(flat(110 + i) for i in range(5)), rules=NO_LEVELS, graph=graph)
    wanted = (result.timeline.signals[0] & 1).tolist()
    assert wanted == [0, 0, 1, 1, 0, 0, 1, 1, 1]
    assert [str(gap) for gap in result.gaps] == [
        "AAA/USDT:USDT: 1 candle is missing from 2025-06-15 00:04 UTC on; its indicators warm up again after it"
    ]


def test_a_gap_of_one_symbol_leaves_the_others_alone() -> None:
    m = Market()
    graph = build(Rules(enter_long=checks(above=m.close > ema(m.close, 2))))
    rising = [flat(100 + i) for i in range(6)]
    broken = [*rising[:3], GAP, *rising[4:]]
    result = play_together({"AAA": rising, "BBB": broken}, NO_LEVELS, graph)
    aaa, bbb = result.timeline.signals.tolist()
    assert [byte & 1 for byte in aaa] == [0, 1, 1, 1, 1, 1]
    assert [byte & 1 for byte in bbb] == [0, 1, 1, 0, 0, 1]


def test_times_are_those_of_the_candles() -> None:
    result = play(flat(100), flat(100))
    assert result.timeline.open_ms.tolist() == [at(0), at(0) + MINUTE]
