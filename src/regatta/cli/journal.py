"""`regatta journal`: is the journal whole, and the tables made of it anew."""

import json
from pathlib import Path

import typer

from regatta.cli.folders import DEFAULT_DATA_DIR, AsJson, DataDir
from regatta.domain.errors import BadInput

app = typer.Typer(
    name="journal", help="Check the journal, or rebuild the tables that come from it.", no_args_is_help=True
)


@app.command("verify")
def verify(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Check every record and the chain that links them; exit code 3 when something was changed or lost."""
    from regatta.journal import Journal

    path = present(data_dir)
    journal = Journal.open_now(path)
    try:
        records = journal.verify()
    finally:
        journal.close_now()
    _say(as_json, {"journal": str(path), "records": records, "whole": True}, f"{path}: {records:,} records, all whole")


@app.command("rebuild")
def rebuild(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Empty the tables (trades, orders, positions, ...) and fill them again from the journal."""
    from regatta.journal import Journal

    path = present(data_dir)
    journal = Journal.open_now(path)
    try:
        journal.verify()
        before = journal.tables()
        records = journal.rebuild()
        changed = sorted(name for name, rows in journal.tables().items() if rows != before.get(name))
    finally:
        journal.close_now()
    said = "the same as before" if not changed else f"changed: {', '.join(changed)}"
    document = {"journal": str(path), "records": records, "changed": changed}
    _say(as_json, document, f"{path}: tables rebuilt from {records:,} records, {said}")


def journal_path(data_dir: Path) -> Path:
    """Return where the journal of a data directory lies."""
    return data_dir / "journal.sqlite"


def present(data_dir: Path) -> Path:
    """Return the journal's file; BadInput when the data directory has none."""
    path = journal_path(data_dir)
    if not path.is_file():
        raise BadInput(
            f"there is no journal in {data_dir} ({path.name}); name the right folder with --data-dir, "
            "or make one with `regatta demo` or `regatta run`"
        )
    return path


def _say(as_json: bool, document: dict[str, object], text: str) -> None:
    typer.echo(json.dumps(document) if as_json else text)
