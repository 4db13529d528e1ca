"""`regatta parity`: the same bot in three ways over the same candles; each difference explained.

compiled     the fused kernel of the backtest, on compiled code
events       the whole engine in simulated time, plain Python, journal in memory
replay       the platform as `regatta run` starts it, journal on disk, read back from its tables
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regatta.cli.folders import DEFAULT_CONFIG_DIR, DEFAULT_DATA_DIR, AsJson, DataDir

if TYPE_CHECKING:
    from regatta.domain.position import Trade
    from regatta.engine.assembly import Plan
    from regatta.research.timeline import SymbolData
    from regatta.settings.bot import BotSettings

SHOWN = 20
"""Differences that are printed one by one; the JSON document holds all."""


def parity(
    strategy: Annotated[str, typer.Option(help="A built-in strategy, or the path of a .py file.")],
    venue: Annotated[str, typer.Option(help="Venue whose stored candles are used, e.g. binanceusdm.")],
    symbols: Annotated[str, typer.Option(metavar="S[,S]", help="Symbols, e.g. BTC/USDT:USDT,ETH/USDT:USDT.")],
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle; the strategy's own by default.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="First candle to decide on.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Candles that open at this time or later are left out.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the strategy, or risk.KEY; may be repeated."),
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", metavar="DIR", help="Folder whose strategies/ are looked into.")
    ] = DEFAULT_CONFIG_DIR,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Prove on stored candles that backtest, engine and virtual replay make the same trades."""
    from regatta.cli.backtest import assignments, moment, planned, stored
    from regatta.engine.assembly import Plan
    from regatta.research.compare import compare

    given = {"strategy": strategy, "venue": venue, "symbols": symbols, "timeframe": timeframe}
    chosen = {name: value for name, value in given.items() if value is not None}
    bot, graph = planned(chosen, assignments(settings or ()), config)
    what = Plan(bot, graph)
    from_ms = moment(from_, "--from")
    data = stored(bot, graph, data_dir, from_ms, moment(to, "--to"))
    if from_ms is None:
        from_ms = min(int(one.candles.open_ms[0]) for one in data.values())
    reference = _compiled(bot, what, data, from_ms)
    others = {
        "events": _events(bot, what, data, data_dir, from_ms),
        "replay": _replay(bot, data, data_dir, from_ms, config),
    }
    found = {name: compare(reference, trades) for name, trades in others.items()}
    different = sum(len(differences) for differences in found.values())
    document: dict[str, Any] = {
        "trades": len(reference),
        "different": different,
        "runs": {"compiled": len(reference), **{name: len(trades) for name, trades in others.items()}},
        "candles": sum(len(one.candles) for one in data.values()),
        "pnl_e8": sum(trade.pnl_e8 for trade in reference),
        "differences": [
            {"run": name, "kind": d.kind, "symbol": d.symbol, "side": d.side, "opened_ms": d.opened_ms,
             "fields": d.fields, "explanation": d.explain()}
            for name, differences in found.items()
            for d in differences
        ],
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _print(document)
    if different:
        raise typer.Exit(1)


def _print(document: Mapping[str, Any]) -> None:
    runs = ", ".join(f"{name} {count}" for name, count in document["runs"].items())
    typer.echo(f"{document['candles']} candles; trades: {runs}; different: {document['different']}")
    for difference in document["differences"][:SHOWN]:
        typer.echo(f"  {difference['run']}: {difference['explanation']}")
    if len(document["differences"]) > SHOWN:
        typer.echo(f"  ... and {len(document['differences']) - SHOWN} more (--json names all)")


# --- the three runs ----------------------------------------------------------------------


def _compiled(bot: "BotSettings", what: "Plan", data: "Mapping[str, SymbolData]", from_ms: int) -> "list[Trade]":
    from regatta.engine.code_cache import CodeCache
    from regatta.research.backtest import Setup, run
    from regatta.research.compiled import compile_kernel

    cache = CodeCache()
    setup = Setup(
        graph=what.graph,
        function=cache.graph(what.graph),
        kernel=compile_kernel(cache.jit),
        rules=bot.risk.rules(),
        slippage=bot.risk.slippage,
        initial_e8=bot.initial_balance_e8,
        bot=bot.name,
    )
    return run(setup, data, bot.timeframe_ms, from_ms=from_ms).trades()


def _events(
    bot: "BotSettings", what: "Plan", data: "Mapping[str, SymbolData]", data_dir: Path, from_ms: int
) -> "list[Trade]":
    import asyncio

    from regatta.engine.simulation import simulate, trades_of
    from regatta.journal import MemoryJournal
    from regatta.market.feed import ReplayFeed
    from regatta.market.instruments import instruments
    from regatta.market.sources import MemorySource, stored_settlements
    from regatta.market.store import CandleStore

    table = instruments(bot.venue)
    store = CandleStore(data_dir)
    funding = {symbol: stored_settlements(store, bot.venue, symbol) for symbol in data if table[symbol].kind == "swap"}
    source = MemorySource({symbol: one.candles for symbol, one in data.items()}, funding)  # type: ignore[misc]
    feed = ReplayFeed(source, table, name="parity", from_ms=from_ms)
    journal = MemoryJournal()
    asyncio.run(simulate(what, what.graph.plain(), table, feed, journal, from_ms=from_ms))
    return trades_of(journal.records)


def _replay(
    bot: "BotSettings", data: "Mapping[str, SymbolData]", data_dir: Path, from_ms: int, config: Path
) -> "list[Trade]":
    import asyncio
    import tempfile

    from regatta.cli.catalogue import Installed
    from regatta.engine.clock import SimulatedClock
    from regatta.engine.platform import JOURNAL_FILE, Platform
    from regatta.journal import Reader
    from regatta.settings.platform import Settings

    end_ms = max(int(one.candles.open_ms[-1]) for one in data.values()) + bot.timeframe_ms
    market = {
        "kind": "replay",
        "venue": bot.venue,
        "timeframe": bot.timeframe,
        "speed": 600,
        "history": 100_000,
        "replay": {"from": _iso(from_ms), "to": _iso(end_ms)},
    }
    virtual = {**bot.model_dump(), "mode": "virtual"}

    async def run(folder: Path) -> None:
        context = {"catalogue": Installed(config)}
        chosen = Settings.model_validate({"market": market, "bots": [virtual]}, context=context)
        platform = Platform(chosen, folder, clock=SimulatedClock())
        await platform.start()
        try:
            await platform.wait()
        finally:
            await platform.stop("the replay is over")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _same_candles(bot, data, data_dir, folder)
        asyncio.run(run(folder))
        reader = Reader(folder / JOURNAL_FILE)
        trades = _all_trades(reader)
        reader.close()
    return sorted(trades, key=lambda trade: (trade.closed_ms, trade.symbol))


def _same_candles(bot: "BotSettings", data: "Mapping[str, SymbolData]", data_dir: Path, folder: Path) -> None:
    """Make a data directory that holds exactly these candles, and the funding beside them."""
    import polars as pl

    from regatta.market.store import CandleStore, Series

    store = CandleStore(folder)
    for symbol, one in data.items():
        columns = {name: getattr(one.candles, name) for name in ("open", "high", "low", "close", "volume")}
        frame = pl.DataFrame({"ts": one.candles.open_ms, **columns})
        store.write(Series("candles", bot.venue, bot.timeframe, symbol), frame)
    for beside in ("funding", "mark"):
        if (data_dir / beside).is_dir():
            (folder / beside).symlink_to((data_dir / beside).absolute())


def _all_trades(reader: Any) -> "Sequence[Trade]":
    trades: list[Trade] = []
    while rows := reader.trades(limit=5_000, offset=len(trades), descending=False):
        trades.extend(row.trade for row in rows)
    return trades


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
