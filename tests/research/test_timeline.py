import numpy as np
import pytest

from regatta.domain.errors import BadInput
from regatta.research.kernel import ABSENT, FUNDING
from regatta.research.timeline import MissingCandles, SymbolData, lay_out
from tests.research.scenes import GAP, MINUTE, START, Bar, Charge, at, candles, flat, instrument


def data(*bars: Bar, base: str = "AAA", start: int = START, charges: tuple[Charge, ...] = ()) -> dict[str, SymbolData]:
    symbol = f"{base}/USDT:USDT"
    return {symbol: SymbolData(instrument(symbol), candles(bars, symbol, start), charges)}


def test_rows_are_all_moments_and_symbols_stand_in_order() -> None:
    late = data(flat(1), flat(2), start=at(1))
    early = data(flat(3), flat(4), base="BBB")
    timeline = lay_out({**early, **late}, MINUTE)
    assert timeline.symbols == ("AAA/USDT:USDT", "BBB/USDT:USDT")
    assert timeline.open_ms.tolist() == [at(0), at(1), at(2)]
    np.testing.assert_array_equal(timeline.blocks[:, 4], [[np.nan, 1, 2], [3, 4, np.nan]])
    assert timeline.signals.tolist() == [[ABSENT, 0, 0], [0, 0, ABSENT]]
    assert timeline.runs == (((1, 3),), ((0, 2),))
    assert timeline.candles == 4


def test_row_0_of_a_block_is_the_close_time() -> None:
    timeline = lay_out(data(flat(1), flat(2)), MINUTE)
    assert timeline.blocks[0, 0].tolist() == [at(1), at(2)]


def test_gaps_are_named_in_order_of_time() -> None:
    both = {**data(flat(1), GAP, GAP, flat(1), GAP, flat(1)), **data(flat(1), flat(1), GAP, flat(1), base="BBB")}
    timeline = lay_out(both, MINUTE)
    assert timeline.gaps == (
        MissingCandles("AAA/USDT:USDT", at(1), 2),
        MissingCandles("BBB/USDT:USDT", at(2), 1),
        MissingCandles("AAA/USDT:USDT", at(4), 1),
    )


def test_settlements_lie_at_the_row_of_their_candle() -> None:
    own = data(flat(1), GAP, flat(1), charges=(Charge(1, 100, 7),))
    timeline = lay_out({**own, **data(flat(1), flat(1), flat(1), base="BBB")}, MINUTE)
    assert timeline.settlements.tolist() == [[[2, 100, 7]], [[3, 0, 0]]]
    assert timeline.signals.tolist() == [[0, ABSENT, FUNDING], [0, 0, 0]]


def test_decisions_begin_where_they_are_asked_to() -> None:
    timeline = lay_out(data(*[flat(1)] * 5), MINUTE, at(2))
    assert (timeline.decide_from, timeline.candles) == (2, 3)


def test_a_period_without_candles_is_refused() -> None:
    with pytest.raises(BadInput, match="no candles of AAA/USDT:USDT from 2025-06-15 00:09 UTC on"):
        lay_out(data(flat(1)), MINUTE, at(9))
    with pytest.raises(BadInput, match="no candles of AAA/USDT:USDT"):
        lay_out(data(), MINUTE)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Bar(1, 2, 1, float("nan")), "close of the candle of 2025-06-15 00:01 UTC is nan; allowed: above 0"),
        (Bar(1, float("inf"), 1, 1), "high of the candle of 2025-06-15 00:01 UTC is inf; allowed: above 0"),
        (Bar(0, 1, 1, 1), "open of the candle of 2025-06-15 00:01 UTC is 0.0; allowed: above 0"),
        (Bar(1, 1, 1, 1, -1), "volume of the candle of 2025-06-15 00:01 UTC is -1.0; allowed: 0 or more"),
    ],
)
def test_candles_that_can_not_be_are_refused(bad: Bar, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        lay_out(data(flat(1), bad), MINUTE)


def test_candles_of_another_timeframe_are_refused() -> None:
    with pytest.raises(BadInput, match="00:01 UTC is not on the grid of 5 minutes"):
        lay_out(data(flat(1), flat(1)), 5 * MINUTE)


def test_candles_out_of_order_are_refused() -> None:
    part = candles([flat(1), flat(1)])
    part.open_ms[1] = part.open_ms[0]
    with pytest.raises(BadInput, match="00:00 UTC does not come after the one before it"):
        lay_out({"AAA/USDT:USDT": SymbolData(instrument(), part)}, MINUTE)
