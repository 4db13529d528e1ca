"""What trades and an equity curve amount to: pure functions, no table, no clock.

1. Money is exact: sums of ints of 10**-8 quote (`_e8`), independent of their order. Ratios are
   floats and fractions (0.01 is 1 %).
2. No NaN or infinity leaves this module. What is undefined is None; each docstring says when.
3. A win is a net PnL > 0 after fees and funding, a loss one < 0; 0 is neither.
4. A trade closed only because the data ended (reason `end_of_data`) is counted apart: it is no
   trade in counts, means, extremes and streaks. Its money is in every sum and in what is made
   of sums: PnL, PnL of days, fees, funding, gross profit and loss, profit factor, ROI.
5. A day begins at 00:00 UTC, or `day_starts_ms` after it. Statistics of one symbol, setup or
   period are those of the trades of it: the caller chooses.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

import msgspec

from regatta.domain.position import Trade

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DAY_MS = 86_400_000
DAYS_A_YEAR = 365
RELIABLE_TRADES = 30
RELIABLE_DAYS = 30
NO_SPREAD = 1e-12
"""A deviation of daily returns up to this is none: it is below the grid of money (10**-8 of 10,000)."""

Points = Sequence[tuple[int, int]]
"""(at_ms, amount_e8) pairs, oldest first. Equity may also come as an int array of shape (n, 2)."""


class DayPnl(msgspec.Struct, frozen=True):
    """Net PnL of the trades that closed on a day. day_ms: its first moment; trades: without end_of_data."""

    day_ms: int
    pnl_e8: int
    trades: int


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall from a peak; the earliest of equals.

    depth: fraction of the peak, 0.0 when equity never fell. depth_e8: the same in quote, None when
    transfers split the period. recovered_ms: first mark that is not below the peak, None while
    there is none. length_ms: from the peak to the recovery, or to the last mark. longest_ms: the
    longest of all drawdowns' lengths, which may be another one.
    """

    depth: float
    depth_e8: int | None
    peak_ms: int
    trough_ms: int
    recovered_ms: int | None
    length_ms: int
    longest_ms: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a period; see the numbered notes of the module.

    trades, wins, losses: without end_of_data. gross_loss_e8: 0 or positive.
    win_rate: wins / trades; None without trades.
    profit_factor: gross profit / gross loss; None without a loss.
    expectancy_e8: mean net PnL of a trade; None without trades.
    expectancy_r: mean of net PnL / risk; None without trades or when a trade's risk is unknown.
    roi: see `roi`. average_holding_ms: None without trades. best, worst: None without trades.
    fees_e8, funding_e8: paid; negative funding was received.
    exposure: share of the period with a position open; None when the period has no length.
    days: days of the period that have ended. daily: days on which trades closed, oldest first.
    annual_return: compound growth of equity a year of 365 days; None without equity, for less
    than a day, or when it is beyond what a float holds.
    sharpe, sortino: see there; None also without equity. calmar: annual_return / depth of the
    drawdown; None without either or without a fall. drawdown: None without equity.
    reliable: at least 30 trades and 30 days. Otherwise figures are to be shown grey, with n.
    """

    started_ms: int | None
    ended_ms: int | None
    trades: int
    end_of_data: int
    wins: int
    losses: int
    win_rate: float | None
    pnl_e8: int
    end_of_data_pnl_e8: int
    gross_profit_e8: int
    gross_loss_e8: int
    fees_e8: int
    funding_e8: int
    roi: float | None
    profit_factor: float | None
    expectancy_e8: float | None
    expectancy_r: float | None
    best: Trade | None
    worst: Trade | None
    longest_win_streak: int
    longest_loss_streak: int
    average_holding_ms: float | None
    exposure: float | None
    days: int
    daily: tuple[DayPnl, ...]
    annual_return: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    drawdown: Drawdown | None
    reliable: bool


def statistics(
    trades: Sequence[Trade],
    equity: "Points | NDArray[np.int64]",
    initial_e8: int,
    *,
    started_ms: int | None = None,
    ended_ms: int | None = None,
    transfers: Points = (),
    risks_e8: Mapping[str, int] | None = None,
    open_since_ms: int | None = None,
    day_starts_ms: int = 0,
) -> Statistics:
    """Return the statistics of closed trades and of equity marked on each candle.

    equity: (at_ms, equity_e8), times not falling; may be empty. initial_e8: balance at started_ms.
    started_ms, ended_ms: the period; by default from the first mark or opening to the last mark or
    closing. transfers: deposits (> 0) and withdrawals (< 0) after started_ms; a mark at the same
    moment holds the transfer already. risks_e8: what each trade risked at its entry, by trade_id.
    open_since_ms: opening of the oldest position still open, for the exposure.

    Raises ValueError for equity that is not of ints, not in order, or outside the period; amounts
    and times are int64.
    """
    marks = _marks(equity)
    rated = sorted((t for t in trades if t.reason != "end_of_data"), key=lambda t: t.closed_ms)
    pnls = [t.pnl_e8 for t in rated]
    pnl_e8 = sum(t.pnl_e8 for t in trades)
    profit_e8 = sum(t.pnl_e8 for t in trades if t.pnl_e8 > 0)
    wins, losses = sum(p > 0 for p in pnls), sum(p < 0 for p in pnls)

    starts = [int(marks[0, 0])] if len(marks) else []
    ends = [int(marks[-1, 0])] if len(marks) else []
    started = started_ms if started_ms is not None else min(starts + [t.opened_ms for t in trades], default=None)
    ended = ended_ms if ended_ms is not None else max(ends + [t.closed_ms for t in trades], default=None)
    if ends and ended is not None and ended < ends[0]:
        raise ValueError(f"equity ends at {ends[0]}, after the period; allowed: until {ended}")
    days, share = 0, None
    if started is not None and ended is not None:
        days = max(0, (ended - day_starts_ms) // DAY_MS - (started - day_starts_ms) // DAY_MS)
        still_open = [] if open_since_ms is None else [(open_since_ms, ended)]
        share = exposure([(t.opened_ms, t.closed_ms) for t in trades] + still_open, started, ended)

    curve = None if started is None or not len(marks) else _curve(marks, initial_e8, started, transfers)
    fall, returns, annual = None, None, None
    if curve is not None and started is not None and ended is not None:
        times, values = curve
        fall = _drawdown(times, values)
        returns = _daily_returns(times, values, days, day_starts_ms)
        annual = annual_return(float(values[-1] / values[0]), ended - started)
    return Statistics(
        started_ms=started,
        ended_ms=ended,
        trades=len(rated),
        end_of_data=len(trades) - len(rated),
        wins=wins,
        losses=losses,
        win_rate=_ratio(wins, len(rated)),
        pnl_e8=pnl_e8,
        end_of_data_pnl_e8=pnl_e8 - sum(pnls),
        gross_profit_e8=profit_e8,
        gross_loss_e8=profit_e8 - pnl_e8,
        fees_e8=sum(t.fees_e8 for t in trades),
        funding_e8=sum(t.funding_e8 for t in trades),
        roi=roi(trades, initial_e8, transfers if started is None else _after(transfers, started)),
        profit_factor=_ratio(profit_e8, profit_e8 - pnl_e8),
        expectancy_e8=_ratio(sum(pnls), len(rated)),
        expectancy_r=_expectancy_r(rated, risks_e8 or {}),
        best=max(rated, key=lambda t: t.pnl_e8, default=None),
        worst=min(rated, key=lambda t: t.pnl_e8, default=None),
        longest_win_streak=longest_run(p > 0 for p in pnls),
        longest_loss_streak=longest_run(p < 0 for p in pnls),
        average_holding_ms=_ratio(sum(t.closed_ms - t.opened_ms for t in rated), len(rated)),
        exposure=share,
        days=days,
        daily=daily_pnl(trades, day_starts_ms),
        annual_return=annual,
        sharpe=None if returns is None else sharpe(returns),
        sortino=None if returns is None else sortino(returns),
        calmar=None if annual is None or fall is None or fall.depth == 0 else annual / fall.depth,
        drawdown=fall,
        reliable=len(rated) >= RELIABLE_TRADES and days >= RELIABLE_DAYS,
    )


# --- Of trades -------------------------------------------------------------------------------


def daily_pnl(trades: Iterable[Trade], day_starts_ms: int = 0) -> tuple[DayPnl, ...]:
    """Return the net PnL of each day on which a trade closed, oldest first. A close at 00:00 is the new day's."""
    days: dict[int, tuple[int, int]] = {}
    for trade in trades:
        day_ms = (trade.closed_ms - day_starts_ms) // DAY_MS * DAY_MS + day_starts_ms
        pnl_e8, count = days.get(day_ms, (0, 0))
        days[day_ms] = pnl_e8 + trade.pnl_e8, count + (trade.reason != "end_of_data")
    return tuple(DayPnl(day_ms, *days[day_ms]) for day_ms in sorted(days))


def roi(trades: Iterable[Trade], initial_e8: int, transfers: Points = ()) -> float | None:
    """Return net PnL / initial balance; with transfers, the time-weighted return of the balance.

    A transfer ends one part and begins the next, whose initial balance holds it; a trade that
    closes at the same moment belongs to the part before. Returns of the parts are compounded.
    None when a part that has trades begins with a balance that is not positive.
    Source: CFA Institute, Global Investment Performance Standards: time-weighted rate of return.
    """
    ordered = sorted(trades, key=lambda t: t.closed_ms)
    moves = sorted(transfers)
    balance_e8, growth, done = initial_e8, 1.0, 0
    for number in range(len(moves) + 1):
        first = done
        while done < len(ordered) and (number == len(moves) or ordered[done].closed_ms <= moves[number][0]):
            done += 1
        pnl_e8 = sum(t.pnl_e8 for t in ordered[first:done])
        if balance_e8 <= 0 and (done > first or not moves):
            return None
        if not moves:
            return pnl_e8 / balance_e8
        if done > first:
            growth *= 1 + pnl_e8 / balance_e8
        balance_e8 += pnl_e8 + (moves[number][1] if number < len(moves) else 0)
    return _finite(growth - 1)


def exposure(intervals: Iterable[tuple[int, int]], started_ms: int, ended_ms: int) -> float | None:
    """Return the share of the period that lies in at least one (opened_ms, closed_ms); None without a length."""
    if ended_ms <= started_ms:
        return None
    covered, reached = 0, started_ms
    for opened, closed in sorted(intervals):
        end = min(closed, ended_ms)
        covered += max(0, end - max(opened, reached))
        reached = max(reached, end)
    return covered / (ended_ms - started_ms)


def longest_run(flags: Iterable[bool]) -> int:
    """Return the most consecutive true values: a trade of 0 ends a streak of wins and one of losses."""
    return max(accumulate(flags, lambda run, flag: run + 1 if flag else 0, initial=0))


def _expectancy_r(trades: Sequence[Trade], risks_e8: Mapping[str, int]) -> float | None:
    risks = [risks_e8.get(t.trade_id, 0) for t in trades]
    if not trades or min(risks) <= 0:
        return None
    return sum(t.pnl_e8 / risk for t, risk in zip(trades, risks, strict=True)) / len(trades)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


# --- Of equity -------------------------------------------------------------------------------


def sharpe(returns: Sequence[float]) -> float | None:
    """Return the annualised Sharpe ratio of daily returns: mean / deviation (ddof 1) x sqrt(365).

    returns: simple (0.01 is 1 %), one a day; the riskless return is taken as 0. None when there
    are fewer than 2 or they do not vary.
    Source: Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21(1), 1994.
    """
    n = len(returns)
    if n < 2:
        return None
    mean = sum(returns) / n
    deviation = sqrt(sum((r - mean) * (r - mean) for r in returns) / (n - 1))
    return None if not NO_SPREAD < deviation < inf else _finite(mean / deviation * sqrt(DAYS_A_YEAR))


def sortino(returns: Sequence[float]) -> float | None:
    """Return the annualised Sortino ratio of daily returns: mean / downside deviation x sqrt(365).

    Downside deviation against 0: root of the mean, over all days, of squared negative returns.
    None when there are fewer than 2 returns or none of them is negative.
    Source: Sortino and Price, "Performance Measurement in a Downside Risk Framework", Journal of
    Investing 3(3), 1994.
    """
    n = len(returns)
    if n < 2:
        return None
    downside = sqrt(sum(min(r, 0.0) ** 2 for r in returns) / n)
    return None if downside <= NO_SPREAD else _finite(sum(returns) / n / downside * sqrt(DAYS_A_YEAR))


def annual_return(growth: float, length_ms: int) -> float | None:
    """Return growth (end / start) as a rate a year of 365 days; -1.0 when nothing is left.

    None for less than a day, from which a year says nothing, and beyond what a float holds.
    The Calmar ratio is this / maximum drawdown. Source: Young, "Calmar Ratio: A Smoother Tool",
    Futures 20(1), 1991; there over 36 months, here over the period.
    """
    if length_ms < DAY_MS:
        return None
    try:
        yearly: float = max(growth, 0.0) ** (DAYS_A_YEAR * DAY_MS / length_ms) - 1
        return yearly
    except OverflowError:
        return None


def drawdown(equity: "Points | NDArray[np.int64]", initial_e8: int, started_ms: int) -> Drawdown | None:
    """Return the deepest fall of equity from a peak; the initial balance is the first peak.

    None without equity or when initial_e8 is not positive. Raises ValueError as `statistics`.
    """
    marks = _marks(equity)
    curve = _curve(marks, initial_e8, started_ms, ()) if len(marks) else None
    return None if curve is None else _drawdown(*curve)


def daily_returns(
    equity: "Points | NDArray[np.int64]",
    initial_e8: int,
    started_ms: int,
    ended_ms: int | None = None,
    transfers: Points = (),
    day_starts_ms: int = 0,
) -> list[float] | None:
    """Return the simple return of each day that has ended, oldest first; the first is from initial_e8.

    A day's mark is the last one at or before its end, so a day without marks has a return of 0,
    and a mark at 00:00 is the old day's. Gains of a begun day wait until it has ended. None without
    equity or when a day begins with none left. Raises ValueError as `statistics`.
    """
    marks = _marks(equity)
    curve = _curve(marks, initial_e8, started_ms, transfers) if len(marks) else None
    if curve is None:
        return None
    ended = int(marks[-1, 0]) if ended_ms is None else ended_ms
    days = (ended - day_starts_ms) // DAY_MS - (started_ms - day_starts_ms) // DAY_MS
    return _daily_returns(*curve, days, day_starts_ms)


def _marks(equity: "Points | NDArray[np.int64]") -> "NDArray[np.int64]":
    """Return equity as int64 of shape (n, 2): at_ms, equity_e8."""
    import numpy as np

    marks = np.asarray(equity)
    if marks.size == 0:
        return np.empty((0, 2), np.int64)
    # Floats are refused, not cut off: they could not hold the last unit, and NaN would become a number.
    if marks.ndim != 2 or marks.shape[1] != 2 or marks.dtype.kind != "i":
        raise ValueError(f"equity is {marks.dtype} of shape {marks.shape}; allowed: int64 (n, 2), at_ms and equity_e8")
    late = np.flatnonzero(np.diff(marks[:, 0]) < 0)
    if len(late):
        raise ValueError(f"equity mark {late[0] + 1} is earlier than the one before it; allowed: oldest first")
    return marks.astype(np.int64, copy=False)


def _after(transfers: Points, started_ms: int) -> list[tuple[int, int]]:
    """Return the transfers of the period: what came before is part of the initial balance."""
    return sorted((at_ms, amount) for at_ms, amount in transfers if at_ms > started_ms)


def _curve(
    marks: "NDArray[np.int64]", initial_e8: int, started_ms: int, transfers: Points
) -> "tuple[NDArray[np.int64], NDArray[np.int64] | NDArray[np.float64]] | None":
    """Return times and values, the initial balance first.

    Values are equity (int64); with transfers, what 1 unit became (float64), each step being
    equity / (equity before + transfers since). None when a step begins with nothing.
    """
    import numpy as np

    if marks[0, 0] < started_ms:
        raise ValueError(f"equity begins at {marks[0, 0]}, before the period; allowed: from {started_ms}")
    if initial_e8 <= 0:
        return None
    times, values = np.vstack((np.array([[started_ms, initial_e8]], np.int64), marks)).T
    moves = _after(transfers, started_ms)
    if not moves:
        return times, values
    moved = np.zeros(len(values), np.int64)
    for at_ms, amount_e8 in moves:
        slot = int(np.searchsorted(times[1:], at_ms)) + 1
        if slot < len(moved):
            moved[slot] += amount_e8
    base = values[:-1] + moved[1:]
    if (base <= 0).any():
        return None
    became = np.concatenate(([1.0], np.cumprod(values[1:] / base)))
    return (times, became) if np.isfinite(became).all() else None


def _drawdown(times: "NDArray[np.int64]", values: "NDArray[np.int64] | NDArray[np.float64]") -> Drawdown:
    import numpy as np

    peaks = np.maximum.accumulate(values)
    falls = (peaks - values) / peaks
    trough = int(falls.argmax())
    # A drawdown begins at the last mark that stood on the peak and ends at the next that does.
    on_peak = np.flatnonzero(values == peaks)
    edges = np.append(times[on_peak], times[-1])
    spans = np.diff(edges)
    below = np.diff(np.append(on_peak, len(values))) > 1
    longest = int(spans[below].max()) if below.any() else 0
    which = int(np.searchsorted(on_peak, trough, side="right")) - 1
    peak = int(on_peak[which])
    recovered = int(times[on_peak[which + 1]]) if which + 1 < len(on_peak) and trough > peak else None
    fell = falls[trough] > 0
    return Drawdown(
        depth=float(falls[trough]),
        depth_e8=int(values[peak] - values[trough]) if values.dtype.kind == "i" else None,
        peak_ms=int(times[peak]),
        trough_ms=int(times[trough]),
        recovered_ms=recovered,
        length_ms=int(edges[which + 1] - times[peak]) if fell else 0,
        longest_ms=longest,
    )


def _daily_returns(
    times: "NDArray[np.int64]",
    values: "NDArray[np.int64] | NDArray[np.float64]",
    days: int,
    day_starts_ms: int,
) -> list[float] | None:
    import numpy as np

    first = (int(times[0]) - day_starts_ms) // DAY_MS
    ends = (np.arange(first, first + days) + 1) * DAY_MS + day_starts_ms
    at_end = values[np.concatenate(([0], np.searchsorted(times, ends, side="right") - 1))]
    if (at_end[:-1] <= 0).any():
        return None
    returns: list[float] = (at_end[1:] / at_end[:-1] - 1).tolist()
    return returns


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
