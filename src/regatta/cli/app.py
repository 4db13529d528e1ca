"""The commands put together, and what becomes of their errors."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from regatta.cli import backtest, bots, data, demo, doctor, journal, openapi, parity, run, trades
from regatta.cli.errors import say_refused, say_unforeseen
from regatta.domain.errors import RegattaError

app = typer.Typer(
    name="regatta",
    help="Regatta: many trading bots on one market feed, with the same decisions from backtest to live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        from regatta import __version__

        typer.echo(f"regatta {__version__}")
        raise typer.Exit


app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("backtest")(backtest.backtest)
app.command("bots")(bots.bots)
app.command("trades")(trades.trades)
app.command("doctor")(doctor.doctor)
app.command("openapi")(openapi.openapi)
app.command("parity")(parity.parity)
app.add_typer(data.app, name="data")
app.add_typer(journal.app, name="journal")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors are told on stderr, one line each."""
    as_json = "--json" in arguments
    try:
        code = get_command(app).main(args=list(arguments), prog_name="regatta", standalone_mode=False)
    except RegattaError as fault:
        say_refused(fault, as_json=as_json)
        return fault.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # `regatta trades | head`
        return 0
    except Exception as fault:
        if hasattr(fault, "format_message"):  # how the command was written
            return _say_usage(fault, as_json)
        say_unforeseen(fault, arguments, as_json=as_json)
        return 1
    return code if isinstance(code, int) else 0


def _say_usage(fault: Exception, as_json: bool) -> int:
    from regatta.domain.errors import BadInput

    context = getattr(fault, "ctx", None)
    if type(fault).__name__ == "NoArgsIsHelpError":
        typer.echo(context.get_help() if context else str(fault))
        return 2
    said = " ".join(fault.format_message().split())  # type: ignore[attr-defined]
    hint = f"; see `{context.command_path} --help`" if context else ""
    say_refused(BadInput(said + hint), as_json=as_json)
    return BadInput.exit_code
