"""Are these the same trades? Two lists, compared trade by trade, each difference named."""

from collections.abc import Sequence

import msgspec

from regatta.domain.position import Trade

COMPARED = (
    "closed_ms",
    "lots",
    "entry_ticks",
    "exit_ticks",
    "entry_cost_e8",
    "exit_value_e8",
    "fees_e8",
    "funding_e8",
    "pnl_e8",
    "reason",
)
"""What two records of one trade must agree on, beside symbol, side and opening time."""


class Difference(msgspec.Struct, frozen=True):
    """One trade that is not the same. kind: "missing", "extra" or "differs".

    fields: for "differs", each field with (reference, other).
    """

    kind: str
    symbol: str
    side: str
    opened_ms: int
    fields: dict[str, tuple[int | str, int | str]] = {}

    def explain(self) -> str:
        """Say what is different in one line."""
        trade = f"{self.symbol} {'long' if self.side == 'buy' else 'short'} opened at {self.opened_ms}"
        if self.kind != "differs":
            return f"{trade}: {self.kind}"
        said = ", ".join(f"{name} {a} is {b}" for name, (a, b) in self.fields.items())
        return f"{trade}: {said}"


def compare(reference: Sequence[Trade], other: Sequence[Trade]) -> list[Difference]:
    """Return what is different, in order of opening; nothing when all trades are the same."""
    a, b = _by_identity(reference), _by_identity(other)
    differences: list[Difference] = []
    for identity in sorted(a.keys() | b.keys(), key=lambda i: (i[2], i[0])):
        symbol, side, opened_ms = identity
        if identity not in b:
            differences.append(Difference("missing", symbol, side, opened_ms))
        elif identity not in a:
            differences.append(Difference("extra", symbol, side, opened_ms))
        else:
            fields = {
                name: (getattr(a[identity], name), getattr(b[identity], name))
                for name in COMPARED
                if getattr(a[identity], name) != getattr(b[identity], name)
            }
            if fields:
                differences.append(Difference("differs", symbol, side, opened_ms, fields))
    return differences


def _by_identity(trades: Sequence[Trade]) -> dict[tuple[str, str, int], Trade]:
    found = {(trade.symbol, str(trade.side), trade.opened_ms): trade for trade in trades}
    assert len(found) == len(trades), "a bot holds one position per symbol: no two trades open at one moment"
    return found
