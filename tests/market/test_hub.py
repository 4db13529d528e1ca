from regatta.domain.candle import Candle
from regatta.domain.events import CandleClosed, CandleOpened, CloseTimePassed, SeriesInterrupted
from regatta.market.hub import Hub, LastPrice, Stream
from tests.market.markets import MINUTE, START

A = "AAA/USDT:USDT"


def candle(i: int, close: float = 100.0) -> CandleClosed:
    open_ms = START + i * MINUTE
    return CandleClosed(Candle(A, "1m", open_ms, open_ms + MINUTE, 99.0, 101.0, 98.0, close, 5.0))


def watching() -> Hub:
    hub = Hub()
    hub.subscribe(A, "1m")
    return hub


def test_many_bots_share_one_stream_and_the_last_to_leave_ends_it() -> None:
    hub = Hub()
    first, second = hub.subscribe(A, "1m"), hub.subscribe(A, "1m")
    hub.subscribe(A, "5m")
    assert hub.streams() == [Stream(A, "1m"), Stream(A, "5m")]
    first()
    first()
    assert Stream(A, "1m") in hub.streams()
    second()
    assert hub.streams() == [Stream(A, "5m")]


def test_what_nobody_wants_does_not_go_on() -> None:
    assert Hub().take(candle(0), 0) == []


def test_candles_that_follow_each_other_go_on_as_they_are() -> None:
    hub = watching()
    assert [hub.take(candle(i), i) for i in range(3)] == [[candle(i)] for i in range(3)]


def test_a_candle_after_a_gap_comes_behind_the_interruption() -> None:
    hub = watching()
    hub.take(candle(0), 0)
    assert hub.take(candle(3), 0) == [SeriesInterrupted(A, "1m", START + MINUTE, 2), candle(3)]
    assert hub.take(candle(4), 0) == [candle(4)]


def test_a_gap_that_the_feed_has_told_already_is_told_once() -> None:
    hub = watching()
    hub.take(candle(0), 0)
    told = SeriesInterrupted(A, "1m", START + MINUTE, 2)
    assert hub.take(told, 0) == [told]
    assert hub.take(candle(3), 0) == [candle(3)]


def test_a_candle_that_was_there_already_is_dropped_and_counted() -> None:
    hub = watching()
    hub.take(candle(1), 0)
    assert hub.take(candle(1, close=100.5), 0) == []
    assert hub.take(candle(0), 0) == []
    assert hub.dropped == 2
    assert hub.price(A) == LastPrice(100.0, START + 2 * MINUTE)


def test_the_first_candle_must_follow_the_history() -> None:
    hub = watching()
    hub.follow(A, "1m", START + MINUTE)
    assert hub.take(candle(2), 0)[0] == SeriesInterrupted(A, "1m", START + MINUTE, 1)


def test_a_stream_that_was_left_and_taken_up_again_starts_afresh() -> None:
    hub = Hub()
    leave = hub.subscribe(A, "1m")
    hub.take(candle(0), 0)
    leave()
    hub.subscribe(A, "1m")
    assert hub.take(candle(9), 0) == [candle(9)]


def test_the_last_price_is_the_newest_whatever_made_it() -> None:
    hub = watching()
    assert hub.price(A) is None
    hub.take(candle(0), 0)
    hub.take(CandleOpened(A, START + MINUTE, 100.2), 0)
    assert hub.price(A) == LastPrice(100.2, START + MINUTE)
    hub.take(CandleOpened(A, START, 99.0), 0)
    assert hub.prices()[A].price == 100.2


def test_other_events_go_on_untouched() -> None:
    passed = CloseTimePassed("1m", START)
    assert watching().take(passed, 0) == [passed]


def test_a_stream_is_stale_after_two_intervals_and_fifteen_seconds() -> None:
    hub = watching()
    assert hub.stale(10**9) == []
    hub.take(candle(0), arrived_ms=1000)
    assert hub.age_ms(Stream(A, "1m"), 4000) == 3000
    assert hub.stale(1000 + 135_000) == []
    assert hub.stale(1000 + 135_001) == [Stream(A, "1m")]
    assert hub.stale(1000 + 17_001, speed=60) == [Stream(A, "1m")]
