"""Tables on the terminal: fitted to it there, one line a row in files and pipes."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from regatta.domain.money import to_decimal


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table on stdout; numbers: the columns that are aligned to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column in numbers
        table.add_column(column, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=400, highlight=False)
    console.print(table)


def money(amount: Decimal) -> str:
    """Return 1,234.50 with the sign of a minus only."""
    return f"{amount:,.2f}"


def signed(amount: Decimal) -> str:
    """Return +1,234.50 or -1,234.50."""
    return f"{amount:+,.2f}"


def exact(amount_e8: int) -> str:
    """Return an amount of 10**-8 quote as a decimal with all its places: 0.00000000."""
    return f"{to_decimal(amount_e8):f}"
