from decimal import Decimal

from regatta.research.report import TRADE_COLUMNS, Report
from tests.research.scenes import BUY, E8, GAP, SELL, Bar, at, flat, play, play_together
from tests.research.test_trading import NO_LEVELS


def report() -> Report:
    """Two trades: one wins 2, one is open at the end with a loss of 1; no fee is left out."""
    bars = [flat(100, BUY), flat(100), flat(102, SELL), flat(102, BUY), flat(102), flat(101)]
    return Report(play(*bars, rules=NO_LEVELS))


def test_what_the_end_of_the_data_closed_is_counted_apart() -> None:
    said = report().document()
    assert (said["trades"], said["wins"], said["win_rate"], said["open_at_end"]) == (1, 1, 1.0, 1)
    won = 2 * E8 - round(0.202 * E8)
    lost = -E8 - round(0.203 * E8)
    assert said["pnl"] == str(Decimal(won + lost).scaleb(-8))
    assert said["open_at_end_pnl"] == str(Decimal(lost).scaleb(-8))
    assert Decimal(said["final_balance"]) == Decimal(said["initial_balance"]) + Decimal(said["pnl"])
    assert said["by_reason"] == {"signal": 1, "end_of_data": 1}
    assert (said["from"], said["to"]) == ("2025-06-15T00:00:00.000Z", "2025-06-15T00:06:00.000Z")


def test_drawdown_is_taken_from_equity_at_every_close() -> None:
    """Bought at 100, 90 at the next close, back at 110: a drawdown that no trade shows."""
    result = play(flat(100, BUY), flat(100), Bar(90, 90, 90, 90), Bar(110, 110, 110, 110), rules=NO_LEVELS)
    fall = Report(result).statistics.drawdown
    assert fall is not None
    assert fall.depth_e8 == 10 * E8 + round(0.1 * E8)
    assert (fall.peak_ms, fall.trough_ms) == (at(1), at(3))


def test_buy_and_hold_is_spread_over_the_symbols_and_pays_its_fees() -> None:
    result = play_together({"AAA": [flat(100), flat(110)], "BBB": [flat(50), flat(50)]}, NO_LEVELS)
    fees = 0.999 / 1.001
    assert Report(result).buy_and_hold_e8 == round(5_000 * E8 * ((1.1 * fees - 1) + (fees - 1)))


def test_rows_of_trades_are_exact_and_readable() -> None:
    rows = [dict(zip(TRADE_COLUMNS, row, strict=True)) for row in report().rows()]
    assert rows[0] == {
        "trade_id": "T-1",
        "symbol": "AAA/USDT:USDT",
        "side": "long",
        "quantity": "1.000",
        "opened_at": "2025-06-15T00:01:00.000Z",
        "closed_at": "2025-06-15T00:03:00.000Z",
        "entry_price": "100.00",
        "exit_price": "102.00",
        "entry_cost": "100.00000000",
        "exit_value": "102.00000000",
        "fees": "0.20200000",
        "funding": "0.00000000",
        "pnl": "1.79800000",
        "reason": "signal",
        "balance_after": "10001.79800000",
    }
    assert rows[1]["trade_id"] == "T-2"


def test_gaps_late_starts_and_short_histories_are_warned_of() -> None:
    bars = {"AAA": [flat(100), GAP, flat(100)], "BBB": [GAP, flat(50), flat(50)]}
    assert Report(play_together(bars, NO_LEVELS)).warnings == [
        "AAA/USDT:USDT: 1 candle is missing from 2025-06-15 00:01 UTC on; its indicators warm up again after it",
        "BBB/USDT:USDT: its candles begin at 2025-06-15 00:01 UTC only",
    ]


def test_a_backtest_without_trades_has_a_report_too() -> None:
    said = Report(play(flat(100), flat(100))).document()
    assert (said["trades"], said["pnl"], said["win_rate"], said["max_drawdown"]) == (0, "0.00000000", None, 0.0)
    assert said["by_symbol"] == {"AAA/USDT:USDT": {"trades": 0, "wins": 0, "pnl": "0.00000000"}}
