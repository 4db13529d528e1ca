"""`regatta demo`: two bots race on a virtual market. No keys, no network, nothing to set up."""

from pathlib import Path
from typing import Annotated

import typer

from regatta.cli.folders import share_dir
from regatta.cli.run import Browser
from regatta.domain.errors import BadInput

SEED = 7
SPEEDS = (1, 10, 60, 600)


def demo(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the dashboard.")] = 8000,
    browser: Browser = True,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="Folder of the demo; it goes on there when started again."),
    ] = None,
    speed: Annotated[int, typer.Option(help="Market time per real time: 1, 10, 60 or 600.")] = 60,
    seed: Annotated[int, typer.Option(min=0, max=2**53, help="Another seed is another market.")] = SEED,
) -> None:
    """Let two bots race on a generated market, and show it in the browser, until Ctrl-C."""
    if speed not in SPEEDS:
        raise BadInput(f"--speed: {speed} is not allowed; allowed: {', '.join(map(str, SPEEDS))}")
    from regatta.cli.serve import serve
    from regatta.settings.demo import demo_settings

    settings = demo_settings(seed=seed, speed=speed, port=port)  # type: ignore[arg-type]
    serve(settings, data_dir or demo_dir(seed), open_reads=True, browser=browser)


def demo_dir(seed: int) -> Path:
    """Return the demo's own folder: each seed is a market of its own."""
    return share_dir() / ("demo" if seed == SEED else f"demo-{seed}")
