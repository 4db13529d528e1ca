"""The report of a backtest as tables on the terminal."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from regatta.cli.tables import money, print_table, signed

if TYPE_CHECKING:
    from regatta.research.report import Report
    from regatta.settings.bot import BotSettings


def print_report(bot: "BotSettings", report: "Report") -> None:
    """Print the summary, the symbols, and why trades ended or were not made."""
    said = report.document()
    period = f"{said['from'][:16].replace('T', ' ')} to {said['to'][:16].replace('T', ' ')} UTC"
    typer.echo(f"{bot.strategy} on {bot.venue} {bot.timeframe}, {period}, {said['candles']:,} candles")
    typer.echo("")
    print_table(("", "value"), _summary(said, bot.quote), numbers=("value",))
    if len(said["by_symbol"]) > 1:
        typer.echo("")
        numbers = ("trades", "won", "PnL")
        print_table(
            ("symbol", *numbers),
            [
                (symbol, f"{one['trades']:,}", f"{one['wins']:,}", signed(Decimal(one["pnl"])))
                for symbol, one in said["by_symbol"].items()
            ],
            numbers=numbers,
        )
    for title, counts in (("closed by", said["by_reason"]), ("entries held back by", said["held_back"])):
        if counts:
            typer.echo("")
            typer.echo(f"{title}: " + ", ".join(f"{reason} {count:,}" for reason, count in counts.items()))
    if not said["reliable"]:
        typer.echo(f"\nn = {said['trades']} trades on {said['days']} days: under 30 of either, chance dominates.")


def _summary(said: dict[str, Any], quote: str) -> list[tuple[str, str]]:
    rows = [
        ("balance at the start", f"{money(Decimal(said['initial_balance']))} {quote}"),
        ("balance at the end", f"{money(Decimal(said['final_balance']))} {quote}"),
        ("PnL after fees and funding", f"{signed(Decimal(said['pnl']))} {quote}"),
        ("return", _percent(said["roi"])),
        ("buy and hold", _percent(said["buy_and_hold_roi"])),
        ("fees", f"{money(Decimal(said['fees']))} {quote}"),
        ("funding", f"{money(Decimal(said['funding']))} {quote}"),
        ("trades", f"{said['trades']:,}"),
        ("won", _percent(said["win_rate"], sign="")),
        ("profit factor", _number(said["profit_factor"])),
        ("mean PnL of a trade", _number(said["expectancy"])),
        ("best, worst trade", f"{_amount(said['best'])}, {_amount(said['worst'])}"),
        ("longest streaks, won, lost", f"{said['longest_win_streak']}, {said['longest_loss_streak']}"),
        ("mean holding time", _duration(said["average_holding_s"])),
        ("time in a position", _percent(said["exposure"], sign="")),
        ("deepest drawdown", _percent(said["max_drawdown"], sign="")),
        ("its length", _duration(said["max_drawdown_length_s"])),
        ("Sharpe, Sortino, Calmar", ", ".join(_number(said[name]) for name in ("sharpe", "sortino", "calmar"))),
    ]
    if said["open_at_end"]:
        rows.append(("closed by the end of the data", f"{said['open_at_end']}, {_amount(said['open_at_end_pnl'])}"))
    return rows


def _percent(share: float | None, sign: str = "+") -> str:
    return "-" if share is None else f"{100 * share:{sign},.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _amount(text: str | None) -> str:
    return "-" if text is None else signed(Decimal(text))


def _duration(seconds: float | None) -> str:
    """Return "3 d 04:15", "04:15" (hours and minutes)."""
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    days, minutes = divmod(minutes, 1440)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{days} d {clock}" if days else clock
