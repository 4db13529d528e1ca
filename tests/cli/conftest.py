"""Running commands in this process, with what they said and their exit code."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from regatta.cli.app import run_command


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Regatta = Callable[..., Said]


@pytest.fixture
def regatta(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Regatta:
    """Run `regatta ...`; files of the user's home go to a temporary one."""
    home = tmp_path_factory.mktemp("home")
    for name, folder in (("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "share"), ("REGATTA_CACHE_DIR", "cache")):
        monkeypatch.setenv(name, str(home / folder))
    for name in ("REGATTA_DATA_DIR", "REGATTA_CONFIG_DIR", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Take away what a command's logging set up, its files closed."""
    import structlog

    root = logging.getLogger()
    before, level = tuple(root.handlers), root.level
    yield
    for handler in tuple(root.handlers):
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    logging.raiseExceptions = True
    structlog.reset_defaults()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config folder with one bot."""
    folder = tmp_path / "config"
    (folder / "bots").mkdir(parents=True)
    (folder / "bots" / "V1.yaml").write_text("strategy: ema_rsi\nsymbols: [BTCUSDT, ETHUSDT]\n")
    return folder
