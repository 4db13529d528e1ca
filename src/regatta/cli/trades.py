"""`regatta trades`: the closed trades in the journal."""

import json
from typing import Annotated, Any, Literal

import typer

from regatta.cli.folders import DEFAULT_DATA_DIR, AsJson, DataDir
from regatta.domain.errors import BadInput

MOST = 10_000


def trades(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    bot: Annotated[str | None, typer.Option(help="Only this bot's.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol's: BTC/USDT:USDT or BTC-USDT-USDT.")] = None,
    result: Annotated[Literal["win", "loss"] | None, typer.Option(help="Only winners, or only losers.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show closed trades, newest first, with totals over all that match; also while the engine runs."""
    from regatta.cli.journal import present
    from regatta.domain.instrument import unified_symbol
    from regatta.journal.queries import Reader

    reader = Reader(present(data_dir))
    try:
        known = [one.bot for one in reader.bots()]
        if bot is not None and bot not in known:
            raise BadInput(f"--bot: {data_dir} has no bot {bot!r}; it has {', '.join(known) or 'none'}")
        chosen: dict[str, Any] = {"bot": bot, "symbol": unified_symbol(symbol) if symbol else None, "result": result}
        rows = [_row(row) for row in reader.trades(**chosen, limit=limit)]
        totals = _totals(reader.trade_totals(**chosen))
    finally:
        reader.close()
    if as_json:
        typer.echo(json.dumps({"data_dir": str(data_dir), "trades": rows, "totals": totals}))
    elif not rows:
        typer.echo("no closed trades")
    else:
        _print(rows, totals)


def _row(row: Any) -> dict[str, Any]:
    from regatta.cli.tables import exact

    trade = row.trade
    return {
        "trade_id": trade.trade_id,
        "bot": trade.bot,
        "symbol": trade.symbol,
        "side": "long" if trade.side.sign > 0 else "short",
        "quantity": str(row.quantity),
        "entry_price": str(row.entry_price),
        "exit_price": str(row.exit_price),
        "opened_at": _iso(trade.opened_ms),
        "closed_at": _iso(trade.closed_ms),
        "pnl": exact(trade.pnl_e8),
        "fees": exact(trade.fees_e8),
        "funding": exact(trade.funding_e8),
        "reason": trade.reason,
        "balance_after": exact(trade.balance_after_e8),
    }


def _totals(totals: Any) -> dict[str, Any]:
    from regatta.cli.tables import exact

    return {
        "trades": totals.trades,
        "wins": totals.wins,
        "losses": totals.losses,
        "pnl": exact(totals.pnl_e8),
        "fees": exact(totals.fees_e8),
        "funding": exact(totals.funding_e8),
    }


def _iso(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _print(rows: list[dict[str, Any]], totals: dict[str, Any]) -> None:
    from decimal import Decimal

    from regatta.cli.tables import print_table, signed

    numbers = ("quantity", "entry", "exit", "PnL")
    print_table(
        ("closed", "bot", "symbol", "side", *numbers, "reason"),
        [
            (
                row["closed_at"][:16].replace("T", " "),
                row["bot"],
                row["symbol"],
                row["side"],
                row["quantity"],
                row["entry_price"],
                row["exit_price"],
                signed(Decimal(row["pnl"])),
                row["reason"],
            )
            for row in rows
        ],
        numbers=numbers,
    )
    more = f" (newest {len(rows)} shown)" if len(rows) < totals["trades"] else ""
    typer.echo(
        f"{totals['trades']} trades{more}, {totals['wins']} won, {totals['losses']} lost, "
        f"PnL {signed(Decimal(totals['pnl']))}, fees {Decimal(totals['fees']):,.2f}"
    )
