"""Engine and dashboard in one event loop: the page first, then the engine, down again in order.

1. The port is taken before anything else starts: a port in use costs nothing.
2. The page answers while the engine still warms up.
3. The first SIGINT or SIGTERM ends in order (exit 0); the second ends at once, which is as safe
   as a power cut.
4. What ends the engine ends the process, with the engine's error.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from regatta.cli.logging import set_up_logging
from regatta.cli.ports import bound
from regatta.domain.errors import EnvironmentFault
from regatta.settings.platform import Settings

if TYPE_CHECKING:
    import uvicorn

    from regatta.engine.platform import Platform

STOP_WITHIN_S = 10.0
"""How long outstanding answers are awaited at the end."""
SERVER_STOP_WITHIN_S = 3


def serve(settings: Settings, data_dir: Path, *, open_reads: bool, browser: bool) -> None:
    """Run bots and dashboard until a signal comes or the engine fails.

    open_reads: reading the API needs no session (demo). Raises EnvironmentFault when the port
    is in use, the data directory can't be written, or the disk fails while running.
    """
    listener = bound(settings.server.host, settings.server.port)
    try:
        _make(data_dir)
        set_up_logging(data_dir / "logs", settings.log.level)
        asyncio.run(_Service(settings, data_dir, listener, open_reads=open_reads, browser=browser).run())
    finally:
        listener.close()


class _Service:
    """One running process."""

    def __init__(
        self, settings: Settings, data_dir: Path, listener: socket.socket, *, open_reads: bool, browser: bool
    ) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._listener = listener
        self._open_reads = open_reads
        self._browser = browser
        self._asked_to_stop = asyncio.Event()
        self._stop_reason = "stopped"
        self._signals_seen = 0
        self._platform: Platform | None = None

    async def run(self) -> None:
        with self._signals():
            from regatta.api.app import create_app
            from regatta.api.options import ApiOptions

            options = ApiOptions(port=self._settings.server.port, open_reads=self._open_reads)
            app = create_app(options)
            server = _server(app)
            serving = asyncio.create_task(server.serve(sockets=[self._listener]), name="server")
            try:
                await _until_started(server, serving)
                self._announce(options.sessions.issue_link())
                await self._engine(app, serving)
            except BaseException:
                with contextlib.suppress(Exception):  # what ended the engine is what the user must hear of
                    await self._end(app, server, serving)
                raise
            await self._end(app, server, serving)

    # --- the engine ----------------------------------------------------------------------

    async def _engine(self, app: Any, serving: asyncio.Task[None]) -> None:
        """Start the engine and return when it is to end; raise what it failed with."""
        running = asyncio.create_task(self._start_and_wait(app), name="engine")
        stopping = asyncio.create_task(self._asked_to_stop.wait(), name="stop")
        try:
            await asyncio.wait({running, stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()  # raises what the engine failed with
                typer.echo("the market has ended; the dashboard stays until Ctrl-C")
                await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (running, stopping):
                task.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)

    async def _start_and_wait(self, app: Any) -> None:
        # Imports take a second or two: the page answers meanwhile.
        await asyncio.to_thread(importlib.import_module, "regatta.engine.platform")
        from regatta.engine.platform import Platform

        platform = Platform(self._settings, self._data_dir)
        await platform.start()
        self._platform = platform
        await app.state.attach(platform.control, platform.reader)
        await platform.wait()

    # --- beginning and end ---------------------------------------------------------------

    def _announce(self, token: str) -> None:
        address = _address(self._settings)
        link = f"{address}/signin?token={token}"
        typer.echo(f"Regatta runs on {address}")
        typer.echo(f"sign in (once): {link}")
        typer.echo(f"data: {self._data_dir}; Ctrl-C ends it")
        sys.stdout.flush()
        if self._browser and _has_screen():
            webbrowser.open(link)

    async def _end(self, app: Any, server: "uvicorn.Server", serving: asyncio.Task[None]) -> None:
        """The engine first, so that its journal is whole whatever becomes of the page."""
        try:
            await app.state.detach()
            if self._platform is not None:
                await asyncio.wait_for(self._platform.stop(self._stop_reason), STOP_WITHIN_S)
        finally:
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        # Not the loop's own handlers: those wait for the loop, and the second signal must not.
        loop = asyncio.get_running_loop()

        def handle(number: int, _: object) -> None:
            self._signalled(signal.Signals(number), loop)

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: signal.Signals, loop: asyncio.AbstractEventLoop) -> None:
        if self._signals_seen:
            os._exit(128 + number)
        self._signals_seen += 1
        self._stop_reason = number.name
        os.write(sys.stderr.fileno(), b"stopping: the journal is being completed; once more ends at once\n")
        loop.call_soon_threadsafe(self._asked_to_stop.set)


def _server(app: Any) -> "uvicorn.Server":
    """Return a server that leaves signals and logging to us."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=65_536,
            timeout_graceful_shutdown=SERVER_STOP_WITHIN_S,
        )
    )


async def _until_started(server: "uvicorn.Server", serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            serving.result()
            raise EnvironmentFault("the web server ended before it began")
        await asyncio.sleep(0.01)


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise EnvironmentFault(f"the data directory {data_dir} can't be made: {fault.strerror or fault}") from None


def _address(settings: Settings) -> str:
    host = settings.server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def _has_screen() -> bool:
    """Tell whether a browser could show a window: else one might open inside the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
