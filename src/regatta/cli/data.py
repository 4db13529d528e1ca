"""`regatta data`: what is in the candle store, how it comes in, and whether it is sound."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regatta.cli.folders import DEFAULT_DATA_DIR, AsJson, DataDir
from regatta.cli.tables import print_table
from regatta.domain.errors import BadInput

if TYPE_CHECKING:
    from regatta.market.checkup import Finding
    from regatta.market.importer import Imported
    from regatta.market.store import CandleStore, Summary

app = typer.Typer(name="data", help="Import, list and check stored candles.", no_args_is_help=True)


class DataKind(StrEnum):
    """What an imported file holds."""

    CANDLES = "candles"
    FUNDING = "funding"
    MARK = "mark"


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Parquet files, or Binance's public CSV archives, plain or zipped."),
    ],
    venue: Annotated[str, typer.Option(help="Venue that the data is from, e.g. binanceusdm.")],
    symbol: Annotated[str, typer.Option(help="Symbol, e.g. BTC/USDT:USDT, BTC-USDT-USDT or BTCUSDT.")],
    timeframe: Annotated[str, typer.Option(help="Length of a candle, e.g. 1m; not used for funding.")] = "",
    kind: Annotated[DataKind, typer.Option(help="What the files hold.")] = DataKind.CANDLES,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite stored rows that differ.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Merge files into the store. A file is written whole or, when anything is wrong with it, not at all."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from regatta.domain.timeframe import TIMEFRAMES_MS
    from regatta.market.importer import import_file
    from regatta.market.instruments import resolve

    instrument = resolve(venue, symbol)
    if kind is not DataKind.FUNDING and not timeframe:
        raise BadInput(f"--timeframe is missing; allowed: {', '.join(TIMEFRAMES_MS)}")
    done: list[Imported] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as progress:
        task = progress.add_task("importing", total=len(files))
        for file in files:
            progress.update(task, description=file.name)
            done.append(
                import_file(
                    _store(data_dir),
                    file,
                    venue=venue,
                    symbol=instrument.symbol,
                    timeframe=timeframe,
                    kind=kind.value,
                    replace=replace,
                )
            )
            progress.advance(task)
    if as_json:
        _print_json({"imported": [_imported_json(one) for one in done]})
        return
    for one in done:
        typer.echo(_imported_text(one))


@app.command("list")
def list_(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Show what is stored: rows, first and last time, missing candles, size."""
    summaries = _store(data_dir).list()
    if as_json:
        _print_json({"data_dir": str(data_dir), "series": [_summary_json(one) for one in summaries]})
        return
    if not summaries:
        typer.echo(f"nothing is stored in {data_dir}; `regatta data import` adds candles")
        return
    from regatta.market.times import utc_text

    print_table(
        ("kind", "venue", "symbol", "timeframe", "first", "last", "rows", "missing", "MB"),
        [
            (
                one.series.kind,
                one.series.venue,
                one.series.symbol,
                one.series.timeframe,
                utc_text(one.first_ms),
                utc_text(one.last_ms),
                f"{one.rows:,}",
                f"{one.missing:,}" if one.missing else "",
                f"{one.size_bytes / 1e6:.1f}",
            )
            for one in summaries
        ],
        numbers=("rows", "missing", "MB"),
    )


@app.command("check")
def check_(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Look for gaps, duplicates, corrupt files and rows that no market makes; exit code 2 when there are some."""
    from regatta.market.checkup import check_series
    from regatta.market.times import utc_text

    store = _store(data_dir)
    every = list(store.series())
    found: list[Finding] = [finding for series in every for finding in check_series(store, series)]
    faults = [finding for finding in found if finding.is_fault]
    if as_json:
        counted = {"series": len(every), "faults": len(faults), "notes": len(found) - len(faults)}
        _print_json({"data_dir": str(data_dir), **counted, "findings": [_finding_json(one) for one in found]})
    elif not every:
        typer.echo(f"nothing is stored in {data_dir}")
    elif not found:
        typer.echo(f"{len(every)} series checked: no gap, no fault")
    else:
        print_table(
            ("what", "venue", "symbol", "timeframe", "when", "rows", "detail", "file"),
            [
                (
                    one.what,
                    one.series.venue,
                    one.series.symbol,
                    one.series.timeframe or one.series.kind,
                    utc_text(one.at_ms),
                    f"{one.rows:,}",
                    one.detail,
                    str(Path(one.file).relative_to(data_dir)),
                )
                for one in found
            ],
            numbers=("rows",),
        )
        typer.echo(f"{len(every)} series checked: {len(faults)} faults, {len(found) - len(faults)} outliers to look at")
    if faults:
        raise typer.Exit(BadInput.exit_code)


def _store(data_dir: Path) -> "CandleStore":
    from regatta.market.store import CandleStore

    return CandleStore(data_dir)


# --- printing ----------------------------------------------------------------------------


def _imported_text(one: "Imported") -> str:
    from regatta.market.times import utc_text

    written = one.written
    counts = [f"{written.added:,} new", f"{written.same:,} known already"]
    if written.replaced:
        counts.append(f"{written.replaced:,} replaced")
    gaps = f"; {one.missing:,} candles are missing in between" if one.missing else ""
    period = f"{utc_text(one.first_ms)} to {utc_text(one.last_ms)}"
    return f"{one.file}: {one.rows:,} rows of {one.series}, {period} ({', '.join(counts)}){gaps}"


def _imported_json(one: "Imported") -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(one)}


def _summary_json(one: "Summary") -> dict[str, Any]:
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(one)
    return {**values.pop("series"), **values}


def _finding_json(one: "Finding") -> dict[str, Any]:
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(one)
    return {**values.pop("series"), **values, "fault": one.is_fault}


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document))
