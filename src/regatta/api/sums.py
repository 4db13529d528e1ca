"""Sums over closed trades, exact, one trade at a time."""

from regatta.api.records import amount
from regatta.api.schemas import TradeTotals
from regatta.api.views import win_rate
from regatta.domain.money import half_even


class TradeSums:
    """Counts and exact sums (10**-8 quote) of the trades added so far."""

    __slots__ = ("best_e8", "fees_e8", "funding_e8", "losses", "pnl_e8", "trades", "wins", "worst_e8")

    def __init__(self) -> None:
        self.trades = 0
        self.wins = 0
        self.losses = 0
        self.pnl_e8 = 0
        self.fees_e8 = 0
        self.funding_e8 = 0
        self.best_e8: int | None = None
        self.worst_e8: int | None = None

    def add(self, pnl_e8: int, fees_e8: int, funding_e8: int) -> None:
        """Add one trade."""
        self.trades += 1
        self.wins += pnl_e8 > 0
        self.losses += pnl_e8 < 0
        self.pnl_e8 += pnl_e8
        self.fees_e8 += fees_e8
        self.funding_e8 += funding_e8
        self.best_e8 = pnl_e8 if self.best_e8 is None else max(self.best_e8, pnl_e8)
        self.worst_e8 = pnl_e8 if self.worst_e8 is None else min(self.worst_e8, pnl_e8)

    def view(self) -> TradeTotals:
        return TradeTotals(
            trades=self.trades,
            wins=self.wins,
            losses=self.losses,
            win_rate_pct=win_rate(self.wins, self.trades),
            pnl=amount(self.pnl_e8),
            fees=amount(self.fees_e8),
            funding=amount(self.funding_e8),
            best=None if self.best_e8 is None else amount(self.best_e8),
            worst=None if self.worst_e8 is None else amount(self.worst_e8),
            average=amount(half_even(self.pnl_e8, self.trades)) if self.trades else None,
        )
