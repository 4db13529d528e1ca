"""`regatta backtest`: a strategy over stored candles, at full speed."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regatta.cli.folders import DEFAULT_CONFIG_DIR, DEFAULT_DATA_DIR, AsJson, DataDir
from regatta.domain.errors import BadInput, EnvironmentFault

if TYPE_CHECKING:
    from regatta.domain.instrument import Instrument
    from regatta.engine.code_cache import CodeCache
    from regatta.graph import Graph
    from regatta.research.backtest import BacktestResult, Progress, Setup
    from regatta.research.report import Report
    from regatta.research.timeline import SymbolData, Timeline
    from regatta.settings.bot import BotSettings

BOT = "backtest"

OPTIONS = {
    ("strategy",): "--strategy",
    ("venue",): "--venue",
    ("symbols",): "--symbols",
    ("timeframe",): "--timeframe",
    ("initial_balance",): "--initial-balance",
}
"""Options of settings; everything else comes by `--set`."""


def backtest(
    strategy: Annotated[str, typer.Option(help="A built-in strategy, or the path of a .py file.")],
    venue: Annotated[str, typer.Option(help="Venue whose candles and fees are used, e.g. binanceusdm.")],
    symbols: Annotated[str, typer.Option(metavar="S[,S]", help="Symbols, e.g. BTC/USDT:USDT,ETH/USDT:USDT.")],
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle; the strategy's own by default.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First candle to decide on: 2025-05-25 or with a time.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Candles that open at this time or later are left out.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the strategy, or risk.KEY; may be repeated."),
    ] = None,
    initial_balance: Annotated[str | None, typer.Option(help="What it starts with, in quote; 10000.")] = None,
    max_positions: Annotated[int | None, typer.Option(help="Same as --set risk.max_positions=N.")] = None,
    slippage_bps: Annotated[float | None, typer.Option(help="Same as --set risk.slippage_bps=X.")] = None,
    trades_csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every trade to this file.")] = None,
    config: Annotated[
        Path, typer.Option("--config", metavar="DIR", help="Folder whose strategies/ are looked into.")
    ] = DEFAULT_CONFIG_DIR,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Run a strategy over stored candles and show what it would have made."""
    given = {
        "strategy": strategy,
        "venue": venue,
        "symbols": symbols,
        "timeframe": timeframe,
        "initial_balance": initial_balance,
    }
    extra = {"risk.max_positions": max_positions, "risk.slippage_bps": slippage_bps}
    chosen = {**assignments(settings or ()), **{name: value for name, value in extra.items() if value is not None}}
    bot, graph = planned({name: value for name, value in given.items() if value is not None}, chosen, config)
    from_ms, to_ms = moment(from_, "--from"), moment(to, "--to")
    if from_ms is not None and to_ms is not None and to_ms <= from_ms:
        raise BadInput(f"--to {to} is not after --from {from_}")
    if trades_csv is not None and not trades_csv.absolute().parent.is_dir():
        raise BadInput(f"--trades-csv {trades_csv}: there is no folder {trades_csv.absolute().parent}")

    market = laid_out(bot, graph, data_dir, from_ms, to_ms)
    result, warnings = _run(bot, graph, market, quiet=as_json)
    report = _report(result)
    warnings += report.warnings
    if trades_csv is not None:
        write_csv(trades_csv, report)
    for line in warnings:
        typer.echo(f"warning: {line}", err=True)
    if as_json:
        typer.echo(json.dumps({**_described(bot), **report.document(), "warnings": warnings}))
    else:
        _print(bot, report)


# --- what is asked for -------------------------------------------------------------------------


def planned(given: Mapping[str, Any], chosen: Mapping[str, Any], config: Path) -> "tuple[BotSettings, Graph]":
    """Return validated settings of the bot and its graph; BadInput with every fault at once."""
    from pydantic import ValidationError

    from regatta.cli.catalogue import Installed
    from regatta.engine.strategy_files import named
    from regatta.graph import Market, build
    from regatta.settings.bot import BotSettings
    from regatta.settings.faults import BadSettings, explain

    risk = {name.removeprefix("risk."): value for name, value in chosen.items() if name.startswith("risk.")}
    parameters = {name: value for name, value in chosen.items() if not name.startswith("risk.")}
    data = {**given, "name": BOT, "mode": "backtest", "risk": risk, "parameters": parameters}
    try:
        bot = BotSettings.model_validate(data, context={"catalogue": Installed(config)})
    except ValidationError as fault:
        errors = fault.errors(include_url=False)
        where = lambda loc: OPTIONS.get(loc[:1], "--set")  # noqa: E731
        raise BadSettings(explain(BotSettings, errors, where)) from None
    strategy = named(bot.strategy)
    parameters_of = strategy.Parameters.model_validate(dict(bot.parameters))
    return bot, build(strategy.rules(Market(), parameters_of))


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Return what `--set KEY=VALUE` options say: numbers, true, false, none, else text."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise BadInput(f"--set {text!r}: needed: KEY=VALUE, e.g. rsi_overbought=85 or risk.stop_pct=1.5")
        if name in found:
            raise BadInput(f"--set {name} is given twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    if text.lower() in ("", "none", "null"):
        return None
    try:
        return json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except ValueError:
        return text


def moment(text: str | None, option: str) -> int | None:
    """Return a time in UTC milliseconds; None for none. BadInput names the option."""
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadInput(f"{option} {text!r} is not a time; allowed: 2025-05-25 or 2025-05-25T14:30Z (UTC)") from None


def stored(
    bot: "BotSettings", graph: "Graph", data_dir: Path, from_ms: int | None, to_ms: int | None
) -> "dict[str, SymbolData]":
    """Return the stored candles and funding of the bot's symbols, with enough history before from_ms.

    Raises BadInput when there are none, naming what is stored instead.
    """
    from regatta.market.instruments import instruments
    from regatta.market.settlement import charges
    from regatta.market.sources import StoredSource, stored_settlements
    from regatta.market.store import CandleStore
    from regatta.market.times import utc_text
    from regatta.research.timeline import SymbolData

    store = CandleStore(data_dir)
    source = StoredSource(store, bot.venue, bot.symbols, bot.timeframe)
    first_ms = 0 if from_ms is None else from_ms - history_candles(bot, graph) * bot.timeframe_ms
    last_ms = 1 << 62 if to_ms is None else to_ms
    table = instruments(bot.venue)
    data: dict[str, SymbolData] = {}
    for symbol in bot.symbols:
        candles = store.read(bot.venue, symbol, bot.timeframe, first_ms, last_ms)
        instrument = table[symbol]
        settled = stored_settlements(store, bot.venue, symbol, first_ms, last_ms) if instrument.kind == "swap" else []
        data[symbol] = SymbolData(instrument, candles, charges(settled, candles, instrument))
        if not len(candles) or (from_ms is not None and candles.open_ms[-1] < from_ms):
            assert source.end_ms is not None
            raise BadInput(
                f"no {bot.timeframe} candles of {bot.venue} {symbol} are stored in the period asked for; "
                f"stored are candles from {utc_text(source.first_ms)} to {utc_text(source.end_ms)}"
            )
    return data


def laid_out(
    bot: "BotSettings", graph: "Graph", data_dir: Path, from_ms: int | None, to_ms: int | None
) -> "tuple[Timeline, tuple[Instrument, ...]]":
    """Return what is stored on one time axis; what was read is let go, so that it lies in memory once."""
    from regatta.research.timeline import lay_out

    data = stored(bot, graph, data_dir, from_ms, to_ms)
    timeline = lay_out(data, bot.timeframe_ms, from_ms)
    return timeline, tuple(data[symbol].instrument for symbol in timeline.symbols)


def history_candles(bot: "BotSettings", graph: "Graph") -> int:
    """Return how many candles before the first decision settle every indicator of the bot."""
    from regatta.domain.timeframe import TIMEFRAMES_MS

    higher = [f.history * TIMEFRAMES_MS[f.name] // bot.timeframe_ms for f in graph.feeders if f.is_timeframe]
    return max(graph.history, bot.risk.startup_candles, *higher, 0)


# --- running -----------------------------------------------------------------------------------


def _run(
    bot: "BotSettings", graph: "Graph", market: "tuple[Timeline, tuple[Instrument, ...]]", *, quiet: bool
) -> "tuple[BacktestResult, list[str]]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from regatta.engine.code_cache import CodeCache
    from regatta.research.backtest import replay

    console = Console(stderr=True)
    cache = CodeCache()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("loading code", total=None)
        if not quiet and not _compiled_before(cache, graph):
            console.print("compiling for this machine; later backtests skip this")
        setup = _setup(bot, graph, cache)
        bar.update(task, description="running", total=1, completed=0)
        result = replay(setup, *market, _shown(bar.update, task))
    return result, list(cache.warnings)


def _setup(bot: "BotSettings", graph: "Graph", cache: "CodeCache") -> "Setup":
    from regatta.research.backtest import Setup
    from regatta.research.compiled import compile_kernel

    return Setup(
        graph=graph,
        function=cache.graph(graph),
        kernel=compile_kernel(cache.jit),
        rules=bot.risk.rules(),
        slippage=bot.risk.slippage,
        initial_e8=bot.initial_balance_e8,
        bot=bot.name,
    )


def _compiled_before(cache: "CodeCache", graph: "Graph") -> bool:
    return cache.known(graph) and any(cache.folder.rglob("*trade_pass*.nbi"))


def _shown(update: Callable[..., None], task: Any) -> "Progress":
    """Return a progress function that touches the bar at every hundredth only."""
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if (now := 100 * done // total) != shown:
            shown = now
            update(task, completed=done, total=total)

    return progress


# --- telling -----------------------------------------------------------------------------------


def _report(result: "BacktestResult") -> "Report":
    from regatta.research.report import Report

    return Report(result)


def write_csv(path: Path, report: "Report") -> None:
    """Write the trades; the file appears whole or not at all."""
    import csv

    from regatta.research.report import TRADE_COLUMNS

    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(TRADE_COLUMNS)
            writer.writerows(report.rows())
        partial.replace(path)
    except OSError as fault:
        partial.unlink(missing_ok=True)
        raise EnvironmentFault(f"--trades-csv {path} can't be written: {fault.strerror or fault}") from fault


def _described(bot: "BotSettings") -> dict[str, Any]:
    return {
        "strategy": bot.strategy,
        "parameters": dict(bot.parameters),
        "risk": bot.risk.model_dump(mode="json"),
        "venue": bot.venue,
        "timeframe": bot.timeframe,
    }


def _print(bot: "BotSettings", report: "Report") -> None:
    from regatta.cli.backtest_table import print_report

    print_report(bot, report)
