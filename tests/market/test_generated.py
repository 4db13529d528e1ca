import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatta.domain.errors import BadInput
from regatta.domain.instrument import Instrument
from regatta.domain.timeframe import TIMEFRAMES_MS, timeframe_ms
from regatta.market import dice
from regatta.market.candles import Candles, Floats
from regatta.market.generated import GeneratedMarket, random_walk
from regatta.market.instruments import instruments
from tests.market.markets import MINUTE, START, instrument

BTC, ETH, DOGE = "BTC/USDT:USDT", "ETH/USDT:USDT", "DOGE/USDT:USDT"
DAYS = 30 * 1440
Month = dict[str, Candles]


def market(seed: int = 7, timeframe: str = "1m", start_ms: int = START) -> GeneratedMarket:
    known = instruments("binanceusdm")
    return GeneratedMarket(seed, {symbol: known[symbol] for symbol in (BTC, ETH, DOGE)}, start_ms, timeframe)


def digest(part: Candles) -> str:
    columns = (part.open_ms, part.open, part.high, part.low, part.close, part.volume)
    return hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()[:16]


def returns(part: Candles) -> Floats:
    return np.diff(np.log(part.close))


# --- what makes it dependable -------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(start=st.integers(-5000, 5000), n=st.integers(1, 2000), cut=st.integers(0, 2000))
def test_a_candle_is_the_same_however_it_is_asked_for(start: int, n: int, cut: int) -> None:
    cut = min(cut, n)
    whole = market().candles(ETH, start, start + n)
    first, second = market(), market()
    left, right = first.candles(ETH, start, start + cut), second.candles(ETH, start + cut, start + n)
    for name in ("open_ms", "open", "high", "low", "close", "volume"):
        joined = np.concatenate([getattr(left, name), getattr(right, name)])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name


def test_the_start_only_says_where_counting_begins() -> None:
    late = market(start_ms=START + 500 * MINUTE)
    assert digest(late.candles(BTC, 0, 50)) == digest(market().candles(BTC, 500, 550))
    assert digest(late.history(BTC, 200)) == digest(market().candles(BTC, 300, 500))
    assert digest(late.before(BTC, START + 500 * MINUTE, 200)) == digest(late.history(BTC, 200))


def test_seeds_and_symbols_differ() -> None:
    assert digest(market(7).candles(BTC, 0, 10)) != digest(market(8).candles(BTC, 0, 10))
    btc, eth = (returns(market().candles(s, 0, 1000)) for s in (BTC, ETH))
    assert not np.allclose(btc, eth)


def test_the_market_of_a_seed_stays_the_same_for_ever() -> None:
    """A change here breaks the virtual bots of every user: their past would not fit their future."""
    assert digest(market(7).candles(BTC, -100, 100)) == "7e14eedf39df6e47"
    assert digest(market(7, "1h").candles(DOGE, 0, 24)) == "7c34c3d6fc5b6f08"


@pytest.mark.parametrize("timeframe", [t for t in TIMEFRAMES_MS if t != "1m"])
def test_higher_timeframes_are_the_aggregates_of_the_minutes(timeframe: str) -> None:
    each = timeframe_ms(timeframe) // MINUTE
    minutes = market().candles(BTC, 0, 3 * each)
    higher = market(timeframe=timeframe).candles(BTC, 0, 3)
    shape = (3, each)
    assert higher.open.tolist() == minutes.open.reshape(shape)[:, 0].tolist()
    assert higher.high.tolist() == minutes.high.reshape(shape).max(axis=1).tolist()
    assert higher.low.tolist() == minutes.low.reshape(shape).min(axis=1).tolist()
    assert higher.close.tolist() == minutes.close.reshape(shape)[:, -1].tolist()
    assert higher.volume == pytest.approx(minutes.volume.reshape(shape).sum(axis=1))


def test_a_start_off_the_grid_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot start at 2025-05-01 00:01 UTC: no 1h candle opens then"):
        market(timeframe="1h", start_ms=START + MINUTE)


# --- what makes it a market ---------------------------------------------------------------


@pytest.fixture(scope="module")
def month() -> Month:
    made = market()
    return {symbol: made.candles(symbol, 0, DAYS) for symbol in made.symbols}


def on_grid(values: Floats, step: Instrument, what: str) -> bool:
    num, den = step.tick if what == "tick" else step.lot
    steps = np.rint(values * den / num)
    return bool((steps * num / den == values).all() and (steps >= 1).all())


def test_prices_lie_on_ticks_volumes_on_lots_and_candles_contain_themselves(month: Month) -> None:
    known = instruments("binanceusdm")
    for symbol, part in month.items():
        for column in (part.open, part.high, part.low, part.close):
            assert on_grid(column, known[symbol], "tick")
        assert on_grid(part.volume, known[symbol], "lot")
        assert (part.high >= np.maximum(part.open, part.close)).all()
        assert (part.low <= np.minimum(part.open, part.close)).all()
        assert (np.diff(part.open_ms) == MINUTE).all()


def test_a_candle_mostly_opens_where_the_last_one_closed(month: Month) -> None:
    known = instruments("binanceusdm")
    for symbol, part in month.items():
        apart = np.abs(part.open[1:] - part.close[:-1]) / float(known[symbol].tick_size)
        assert (apart < 1e-6).mean() > 0.8
        assert apart.max() < 1.01


def test_volatility_is_that_of_a_market_and_comes_in_clusters(month: Month) -> None:
    for part in month.values():
        moves = returns(part)
        assert 0.0005 < moves.std() < 0.0020
        sizes = np.abs(moves)
        assert np.corrcoef(sizes[:-1], sizes[1:])[0, 1] > 0.15
        assert np.corrcoef(sizes[:-60], sizes[60:])[0, 1] > 0.05
        assert abs(np.corrcoef(moves[:-1], moves[1:])[0, 1]) < 0.05


def test_there_are_jumps(month: Month) -> None:
    for part in month.values():
        moves = returns(part)
        assert np.abs(moves).max() > 10 * moves.std()
        assert np.abs(moves).max() < 0.10


def test_symbols_move_together_but_not_as_one(month: Month) -> None:
    moves = np.array([returns(part) for part in month.values()])
    correlations = np.corrcoef(moves)[np.triu_indices(3, 1)]
    assert (correlations > 0.4).all()
    assert (correlations < 0.95).all()


def test_volume_goes_with_movement(month: Month) -> None:
    for part in month.values():
        assert np.corrcoef(part.volume[1:], np.abs(returns(part)))[0, 1] > 0.3


def ema(values: Floats, span: int) -> list[float]:
    level, out = float(values[0]), []
    for value in values.tolist():
        level += (value - level) * 2 / (span + 1)
        out.append(level)
    return out


def test_averages_cross_as_often_as_in_a_real_minute_market(month: Month) -> None:
    """Real futures of May and June 2025: one upward cross of EMA 9 and 21 in 41 to 45 minutes."""
    for part in month.values():
        fast, slow = np.array(ema(part.close, 9)), np.array(ema(part.close, 21))
        crosses = ((fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])).sum()
        assert 35 < len(part) / crosses < 65


def test_prices_do_not_run_away_in_ten_years() -> None:
    made = market()
    for symbol in made.symbols:
        closes = np.array([made.candles(symbol, i, i + 1).close[0] for i in range(0, 3650 * 1440, 30 * 1440)])
        assert 2 < closes.max() / closes.min() < 60


def test_swaps_settle_funding_every_eight_hours_and_spot_never() -> None:
    hour = 60 * MINUTE
    settled = market().settlements(BTC, START - 1, START + 24 * hour)
    assert [s.at_ms for s in settled] == [START, START + 8 * hour, START + 16 * hour]
    assert all(-50_000 < s.rate_e8 < 60_000 and s.mark is None for s in settled)
    assert market().settlements(BTC, START + 1, START + 8 * hour) == []
    assert settled == market().settlements(BTC, START, START + hour) + market().settlements(
        BTC, START + hour, START + 20 * hour
    )
    spot = GeneratedMarket(7, {"AAA/USDT": instrument("AAA/USDT")}, START)
    assert spot.settlements("AAA/USDT", START, START + 24 * hour) == []


def test_unknown_instruments_get_a_price_of_many_ticks() -> None:
    made = GeneratedMarket(7, {"NEW/USDT": instrument("NEW/USDT", "0.005", "0.1")}, START)
    part = made.candles("NEW/USDT", 0, 1000)
    assert 30 < part.close.mean() < 300


# --- dice ---------------------------------------------------------------------------------


def test_dice_are_even_and_independent() -> None:
    places = np.arange(-100_000, 100_000, dtype=np.int64)
    even = dice.uniform(dice.bits(dice.key(1, "a"), places))
    assert abs(even.mean() - 0.5) < 0.003
    assert abs(np.corrcoef(even[:-1], even[1:])[0, 1]) < 0.01
    bell = dice.bell(dice.bits(dice.key(1, "b"), places))
    assert abs(bell.mean()) < 0.01
    assert abs(bell.std() - 1.0) < 0.01
    assert np.abs(bell).max() < 3.47
    assert abs(np.corrcoef(even, bell)[0, 1]) < 0.01


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=50))
def test_our_exponential_is_the_exponential(values: list[float]) -> None:
    x = np.array(values)
    assert np.allclose(dice.exp(x), np.exp(x), rtol=1e-14, atol=0)


def test_a_smooth_curve_passes_through_its_knots_without_leaps() -> None:
    places = np.arange(-500, 500, dtype=np.int64)
    curve = dice.smooth(dice.key(3, "curve"), places, 50)
    assert np.abs(np.diff(curve)).max() < 0.25
    assert 0.5 < curve.std() < 1.3


# --- the reference walk -------------------------------------------------------------------


def test_the_reference_walk_is_as_the_workloads_say() -> None:
    walk = random_walk(100_000)
    assert walk.open[0] == 30_000.0
    assert (walk.open[1:] == walk.close[:-1]).all()
    assert abs(returns(walk).std() - 0.0008) < 0.00001
    for column in (walk.open, walk.high, walk.low, walk.close):
        assert (np.round(column, 2) == column).all()
    assert (walk.high >= np.maximum(walk.open, walk.close)).all()
    assert (walk.low <= np.minimum(walk.open, walk.close)).all()
    assert (walk.volume > 0).all()
    assert digest(walk) == digest(random_walk(100_000))
