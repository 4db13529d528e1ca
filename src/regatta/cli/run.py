"""`regatta run`: the bots of the settings, with their dashboard, until it is stopped."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from regatta.cli.folders import DEFAULT_CONFIG_DIR, DEFAULT_DATA_DIR, DataDir

ConfigDir = Annotated[
    Path,
    typer.Option("--config", metavar="DIR", envvar="REGATTA_CONFIG_DIR", help="Folder with regatta.yaml and bots/."),
]
Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Port of the dashboard.")]
Speed = Annotated[int | None, typer.Option(help="Market time per real time: 1, 10, 60 or 600.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the dashboard.")]


def run(
    config: ConfigDir = DEFAULT_CONFIG_DIR,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    port: Port = None,
    speed: Speed = None,
    browser: Browser = False,
) -> None:
    """Run the bots of the settings, with the dashboard, until Ctrl-C."""
    from regatta.cli.catalogue import Installed
    from regatta.cli.serve import serve
    from regatta.settings.load import load_settings

    options: dict[str, Any] = {"server.port": port, "market.speed": speed}
    settings = load_settings(
        config,
        environ=os.environ,
        options={name: value for name, value in options.items() if value is not None},
        catalogue=Installed(config),
    )
    serve(settings, data_dir, open_reads=False, browser=browser)
