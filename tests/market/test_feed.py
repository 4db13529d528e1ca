import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatta.domain.clock import Clock
from regatta.domain.errors import BadInput
from regatta.domain.events import (
    CandleClosed,
    CandleOpened,
    CloseTimePassed,
    EndOfData,
    FundingSettled,
    SeriesInterrupted,
)
from regatta.market.candles import Candles
from regatta.market.feed import PHASES, Instant, ReplayFeed
from regatta.market.generated import GeneratedMarket
from regatta.market.settlement import Settlement
from regatta.market.sources import MemorySource, StoredSource
from regatta.market.store import CandleStore, Series
from tests.market.markets import MINUTE, START, candles, frame, instrument

A, B, C = (f"{name}/USDT:USDT" for name in ("AAA", "BBB", "CCC"))
INSTRUMENTS = {symbol: instrument(symbol) for symbol in (A, B, C)}


def feed_of(
    *parts: Candles,
    settlements: dict[str, list[Settlement]] | None = None,
    from_ms: int = START,
    to_ms: int | None = None,
    speed: float | None = None,
    clock: Clock | None = None,
) -> ReplayFeed:
    source = MemorySource({part.symbol: part for part in parts}, settlements)
    return ReplayFeed(source, INSTRUMENTS, name="test", from_ms=from_ms, to_ms=to_ms, speed=speed, clock=clock)


def closed(part: Candles, row: int) -> CandleClosed:
    return CandleClosed(list(part.rows())[row])


def test_a_moment_closes_all_candles_by_name_then_says_so_then_opens_the_next() -> None:
    b, a = candles(B, 2, price=50.0), candles(A, 2)
    one, two = START + MINUTE, START + 2 * MINUTE
    assert list(feed_of(b, a).moments()) == [
        Instant(START, "opened", [CandleOpened(A, START, 100.0), CandleOpened(B, START, 50.0)]),
        Instant(one, "closed", [closed(a, 0), closed(b, 0), CloseTimePassed("1m", one)]),
        Instant(one, "opened", [CandleOpened(A, one, 100.1), CandleOpened(B, one, 50.1)]),
        Instant(two, "closed", [closed(a, 1), closed(b, 1), CloseTimePassed("1m", two)]),
        Instant(two, "closed", [EndOfData(two)]),
    ]


def test_after_a_gap_the_interruption_comes_before_the_candle_and_the_open_at_its_own_time() -> None:
    a = candles(A, 5, without=[1, 2])
    later = START + 3 * MINUTE
    assert list(feed_of(a).moments())[2:4] == [
        Instant(later, "opened", [CandleOpened(A, later, 100.3)]),
        Instant(
            later + MINUTE,
            "closed",
            [
                SeriesInterrupted(A, "1m", START + MINUTE, 2),
                closed(a, 1),
                CloseTimePassed("1m", later + MINUTE),
            ],
        ),
    ]


def test_a_symbol_that_is_missing_does_not_hold_up_the_others() -> None:
    a, b = candles(A, 3, without=[1]), candles(B, 3)
    moments = list(feed_of(a, b).moments())
    assert moments[3].events == [closed(b, 1), CloseTimePassed("1m", START + 2 * MINUTE)]
    assert [type(e).__name__ for e in moments[5].events] == [
        "SeriesInterrupted",
        "CandleClosed",
        "CandleClosed",
        "CloseTimePassed",
    ]


def test_history_before_the_start_counts_for_the_first_gap() -> None:
    a = candles(A, 10, without=[3, 4])
    moments = list(feed_of(a, from_ms=START + 5 * MINUTE).moments())
    assert moments[1].events[0] == SeriesInterrupted(A, "1m", START + 3 * MINUTE, 2)
    follows_on = list(feed_of(a, from_ms=START + 6 * MINUTE).moments())
    assert all(type(event) is not SeriesInterrupted for moment in follows_on for event in moment.events)


def test_the_end_may_be_set_and_is_told() -> None:
    moments = list(feed_of(candles(A, 10), to_ms=START + 3 * MINUTE).moments())
    assert moments[-1] == Instant(START + 3 * MINUTE, "closed", [EndOfData(START + 3 * MINUTE)])
    assert len(moments) == 7


def test_funding_comes_before_the_open_of_its_minute_at_the_mark_price() -> None:
    late = Settlement(START + 2 * MINUTE + 16, 10_000, 100.17)
    moments = list(feed_of(candles(A, 4), settlements={A: [late]}).moments())
    at_ms = START + 2 * MINUTE
    assert moments[4] == Instant(
        at_ms, "opened", [FundingSettled(A, at_ms, 10_000, 1002), CandleOpened(A, at_ms, 100.2)]
    )


def test_funding_without_a_mark_is_charged_at_the_close_before_it() -> None:
    settled = Settlement(START + 2 * MINUTE, -500, None)
    moments = list(feed_of(candles(A, 4), settlements={A: [settled]}).moments())
    assert moments[4].events[0] == FundingSettled(A, START + 2 * MINUTE, -500, 1002)


def test_funding_in_a_gap_is_charged_when_trading_goes_on() -> None:
    settled = Settlement(START + 2 * MINUTE, 100, 100.0)
    moments = list(feed_of(candles(A, 6, without=[1, 2, 3]), settlements={A: [settled]}).moments())
    at_ms = START + 4 * MINUTE
    assert moments[2].events == [FundingSettled(A, at_ms, 100, 1000), CandleOpened(A, at_ms, 100.4)]


# --- taking up again ----------------------------------------------------------------------


def behind(moments: list[Instant], at_ms: int, phase: str) -> list[Instant]:
    """Return what must still come behind a cursor; the end always does."""
    place = (at_ms, PHASES[phase])
    return [m for m in moments[:-1] if (m.at_ms, PHASES[m.phase]) > place] + moments[-1:]


holes = st.lists(st.integers(1, 38), max_size=12, unique=True)


@settings(max_examples=60, deadline=None)
@given(a=holes, b=holes, late=st.integers(0, 30), cut=st.integers(0, 41), phase=st.sampled_from(list(PHASES)))
def test_behind_a_cursor_come_the_moments_that_would_have_come(
    a: list[int], b: list[int], late: int, cut: int, phase: str
) -> None:
    parts = candles(A, 40, without=a), candles(B, 40, without=b), candles(C, 10, start_ms=START + late * MINUTE)
    settlements = {
        symbol: [Settlement(START + i * MINUTE + i, 100 + i, None) for i in range(3, 40, 5)] for symbol in (A, C)
    }
    whole = list(feed_of(*parts, settlements=settlements).moments())
    feed = feed_of(*parts, settlements=settlements)
    feed.resume_after(START + cut * MINUTE, phase)
    assert list(feed.moments()) == behind(whole, START + cut * MINUTE, phase)


@settings(max_examples=40, deadline=None)
@given(a=holes, b=holes, block=st.integers(1, 50))
def test_the_size_of_blocks_does_not_show(a: list[int], b: list[int], block: int) -> None:
    parts = candles(A, 40, without=a), candles(B, 40, without=b)
    settlements = {A: [Settlement(START + i * MINUTE, i, None) for i in range(0, 40, 7)]}
    whole = list(feed_of(*parts, settlements=settlements).moments())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regatta.market.feed.BLOCK_CANDLES", block)
        assert list(feed_of(*parts, settlements=settlements).moments()) == whole


@settings(max_examples=40, deadline=None)
@given(a=holes, b=holes)
def test_every_candle_comes_once_in_time_order_and_every_gap_is_told(a: list[int], b: list[int]) -> None:
    parts = {A: candles(A, 40, without=a), B: candles(B, 40, without=b)}
    moments = list(feed_of(*parts.values()).moments())
    places = [(m.at_ms, PHASES[m.phase]) for m in moments[:-1]]
    assert places == sorted(set(places))
    for symbol, part in parts.items():
        events = [e for m in moments for e in m.events]
        assert [e.candle for e in events if isinstance(e, CandleClosed) and e.candle.symbol == symbol] == list(
            part.rows()
        )
        told = [(e.after_ms, e.missing) for e in events if isinstance(e, SeriesInterrupted) and e.symbol == symbol]
        assert told == [(gap.after_ms, gap.missing) for gap in part.gaps()]


def test_a_cursor_at_the_end_still_tells_the_end() -> None:
    feed = feed_of(candles(A, 3))
    feed.resume_after(START + 3 * MINUTE, "opened")
    assert list(feed.moments()) == [Instant(START + 3 * MINUTE, "closed", [EndOfData(START + 3 * MINUTE)])]


def test_a_cursor_with_an_unknown_step_is_refused() -> None:
    with pytest.raises(
        BadInput, match="'half' is no step of a moment; allowed: triggered, settled, closed, opened, ending, ended"
    ):
        feed_of(candles(A, 3)).resume_after(START, "half")


# --- pace ---------------------------------------------------------------------------------


class ManualClock:
    """A clock that stands still unless it is told to go on, and notes what is waited for."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.asked: list[int] = []
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        return self.now

    async def sleep_until(self, at_ms: int) -> None:
        self.asked.append(at_ms)
        while self.now < at_ms:
            await self._moved.wait()
            self._moved.clear()

    async def go(self, to_ms: int) -> None:
        self.now = to_ms
        self._moved.set()
        for _ in range(20):
            await asyncio.sleep(0)


async def collect(feed: ReplayFeed, into: list[Instant]) -> None:
    async for instant in feed.instants():
        into.append(instant)  # noqa: PERF401 (one by one: the test looks in between)


async def test_each_moment_waits_until_it_is_due_at_the_speed() -> None:
    clock = ManualClock()
    got: list[Instant] = []
    task = asyncio.create_task(collect(feed_of(candles(A, 3), speed=60, clock=clock), got))
    await clock.go(1_000_000)
    assert [m.at_ms for m in got] == [START]
    await clock.go(1_000_999)
    assert len(got) == 1
    await clock.go(1_001_000)
    assert [m.phase for m in got] == ["opened", "closed", "opened"]
    await clock.go(1_002_000)
    await clock.go(1_003_000)
    await task
    assert type(got[-1].events[0]) is EndOfData
    assert clock.asked == [1_001_000, 1_002_000, 1_003_000]


async def test_a_new_speed_holds_at_once_even_while_waiting() -> None:
    clock = ManualClock()
    got: list[Instant] = []
    feed = feed_of(candles(A, 3), speed=1, clock=clock)
    task = asyncio.create_task(collect(feed, got))
    await clock.go(1_000_000)
    await clock.go(1_030_000)
    assert len(got) == 1
    feed.set_speed(60)
    await clock.go(1_030_499)
    assert len(got) == 1
    await clock.go(1_030_500)
    assert len(got) == 3
    assert feed.speed == 60
    feed.set_speed(None)
    await clock.go(1_030_501)
    await task
    assert len(got) == 7


async def test_after_a_suspended_machine_the_replay_goes_on_instead_of_racing() -> None:
    clock = ManualClock()
    got: list[Instant] = []
    task = asyncio.create_task(collect(feed_of(candles(A, 100), speed=60, clock=clock), got))
    await clock.go(1_000_000)
    await clock.go(1_050_000)
    assert len(got) == 3
    await clock.go(1_051_000)
    assert len(got) == 5
    task.cancel()


async def test_without_a_speed_nothing_is_waited_for_but_other_tasks_get_their_turn() -> None:
    got: list[Instant] = []
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await collect(feed_of(candles(A, 1000)), got)
    task.cancel()
    assert len(got) == 2001
    assert turns > 10


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_no_speed_is_refused(speed: float) -> None:
    with pytest.raises(BadInput, match="not allowed"):
        feed_of(candles(A, 3), speed=speed, clock=ManualClock())


def test_a_speed_needs_a_clock() -> None:
    with pytest.raises(BadInput, match="a feed without a clock has no speed"):
        feed_of(candles(A, 3), speed=60)


# --- sources ------------------------------------------------------------------------------


def store_with(tmp_path: Path, *parts: Candles) -> CandleStore:
    store = CandleStore(tmp_path)
    for part in parts:
        store.write(Series("candles", "test", part.timeframe, part.symbol), frame(part))
    return store


def test_a_stored_replay_gives_what_memory_gives(tmp_path: Path) -> None:
    month = 31 * 24 * 60
    a = candles(A, 3000, start_ms=START + (month - 1500) * MINUTE, without=[10, 1499, 1500])
    b = candles(B, 3000, start_ms=START + (month - 1500) * MINUTE)
    stored = StoredSource(store_with(tmp_path, a, b), "test", [B, A], "1m")
    feed = ReplayFeed(stored, INSTRUMENTS, name="stored", from_ms=stored.first_ms)
    assert feed.symbols == (A, B)
    assert feed.kind == "replay"
    assert list(feed.moments()) == list(feed_of(a, b, from_ms=stored.first_ms).moments())


def test_a_stored_replay_reads_ahead_without_losing_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regatta.market.sources.WINDOW_CANDLES", 7)
    monkeypatch.setattr("regatta.market.feed.BLOCK_CANDLES", 3)
    a = candles(A, 50, without=[5, 6, 30])
    stored = StoredSource(store_with(tmp_path, a), "test", [A], "1m")
    feed = ReplayFeed(stored, INSTRUMENTS, name="stored", from_ms=START)
    assert list(feed.moments()) == list(feed_of(a).moments())


def test_a_symbol_without_candles_is_named_with_what_is_stored(tmp_path: Path) -> None:
    store = store_with(tmp_path, candles(A, 5))
    with pytest.raises(BadInput, match=r"no 1m candles of test are stored for BBB/USDT:USDT in .*; stored: AAA/USDT"):
        StoredSource(store, "test", [A, B], "1m")


def test_the_mark_of_a_settlement_is_the_open_of_its_hour_else_the_close_before_it(tmp_path: Path) -> None:
    store = store_with(tmp_path, candles(A, 300))
    hour = 60 * MINUTE
    marks = candles(A, 3, timeframe="1h")
    store.write(Series("mark", "test", "1h", A), frame(marks))
    rates = frame(candles(A, 5, timeframe="1h")).select("ts")
    rates = rates.with_columns(ts=rates["ts"] + 8, funding_rate=rates["ts"] * 0 + 0.0001)
    store.write(Series("funding", "test", "", A), rates)
    settlements = StoredSource(store, "test", [A], "1m").settlements(A, 0, 1 << 62)
    assert settlements == [
        Settlement(START + 8, 10_000, 100.0),
        Settlement(START + hour + 8, 10_000, 100.1),
        Settlement(START + 2 * hour + 8, 10_000, 100.2),
        Settlement(START + 3 * hour + 8, 10_000, 100.3),
        Settlement(START + 4 * hour + 8, 10_000, None),
    ]


def test_history_for_warming_up_ends_before_the_start(tmp_path: Path) -> None:
    feed = feed_of(candles(A, 10), from_ms=START + 6 * MINUTE)
    history = feed.history(A, START + 6 * MINUTE, 4)
    assert history.close_ms.tolist() == [START + i * MINUTE for i in (3, 4, 5, 6)]
    assert len(feed.history(A, START + 6 * MINUTE, 100)) == 6


def test_a_generated_feed_never_ends_by_itself() -> None:
    market = GeneratedMarket(1, {A: INSTRUMENTS[A], B: INSTRUMENTS[B]}, START)
    feed = ReplayFeed(market, INSTRUMENTS, name="generated", from_ms=START)
    moments = feed.moments()
    last = [next(moments) for _ in range(20_000)][-1]
    assert last.at_ms == START + 10_000 * MINUTE
    assert feed.kind == "generated"


def test_a_generated_feed_taken_up_later_goes_on_the_same() -> None:
    def feed() -> ReplayFeed:
        market = GeneratedMarket(1, {A: INSTRUMENTS[A], B: INSTRUMENTS[B]}, START)
        return ReplayFeed(market, INSTRUMENTS, name="generated", from_ms=START, to_ms=START + 3000 * MINUTE)

    whole = list(feed().moments())
    resumed = feed()
    resumed.resume_after(START + 1234 * MINUTE, "closed")
    assert list(resumed.moments()) == behind(whole, START + 1234 * MINUTE, "closed")


def test_a_feed_without_symbols_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no symbol to replay"):
        ReplayFeed(GeneratedMarket(1, {}, START), INSTRUMENTS, name="none", from_ms=START)
