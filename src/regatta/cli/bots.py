"""`regatta bots`: what the journal says of each bot."""

import json
from typing import Any

import typer

from regatta.cli.folders import DEFAULT_DATA_DIR, AsJson, DataDir


def bots(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Show each bot with its balance and results, also while the engine runs."""
    from regatta.cli.journal import present
    from regatta.journal import Reader

    reader = Reader(present(data_dir))
    try:
        rows = _rows(reader)
    finally:
        reader.close()
    if as_json:
        typer.echo(json.dumps({"data_dir": str(data_dir), "bots": rows}))
        return
    if not rows:
        typer.echo(f"{data_dir} has no bots yet")
        return
    _print(rows)


def _rows(reader: Any) -> list[dict[str, Any]]:
    from regatta.cli.tables import exact

    portfolios = {one.bot: one for one in reader.portfolios()}
    rows = []
    for bot in reader.bots():
        portfolio, totals = portfolios.get(bot.bot), reader.trade_totals(bot=bot.bot)
        initial_e8 = portfolio.initial_e8 if portfolio else bot.initial_balance_e8
        balance_e8 = portfolio.balance_e8 if portfolio else initial_e8
        rows.append(
            {
                "bot": bot.bot,
                "mode": bot.mode,
                "state": bot.state,
                "venue": bot.venue,
                "strategy": bot.strategy,
                "initial_balance": exact(initial_e8),
                "balance": exact(balance_e8),
                "equity": exact(portfolio.equity_e8 if portfolio else balance_e8),
                "pnl": exact(totals.pnl_e8),
                "trades": totals.trades,
                "wins": totals.wins,
                "losses": totals.losses,
                "open_positions": len(reader.positions(bot=bot.bot)),
            }
        )
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    from decimal import Decimal

    from regatta.cli.tables import money, print_table, signed

    numbers = ("balance", "PnL", "trades", "won", "lost", "open")
    print_table(
        ("bot", "mode", "state", "venue", "strategy", *numbers),
        [
            (
                row["bot"],
                row["mode"],
                row["state"],
                row["venue"],
                row["strategy"],
                money(Decimal(row["balance"])),
                signed(Decimal(row["pnl"])),
                str(row["trades"]),
                str(row["wins"]),
                str(row["losses"]),
                str(row["open_positions"]),
            )
            for row in rows
        ],
        numbers=numbers,
    )
