"""The user guide's examples are real: its files load, its commands and options exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from regatta.cli.app import app
from regatta.cli.catalogue import Installed
from regatta.settings.load import load_settings
from regatta.settings.platform import Settings
from tests.cli.conftest import Regatta

GUIDE = (Path(__file__).parents[2] / "docs" / "user-guide" / "first-steps.md").read_text()
COMMANDS = re.findall(r"^ {4}regatta (.+?)(?: +#.*)?$", GUIDE, re.MULTILINE)


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


def loaded(folder: Path, platform: str, bot: str) -> Settings:
    (folder / "bots").mkdir()
    (folder / "regatta.yaml").write_text(platform)
    (folder / "bots" / "careful.yaml").write_text(bot)
    return load_settings(folder, environ={}, catalogue=Installed(folder))


def test_its_settings_files_load(tmp_path: Path) -> None:
    platform, bot, _ = blocks()
    settings = loaded(tmp_path, platform, bot)
    assert settings.bots[0].symbols == ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
    assert settings.bots[0].parameters["rsi_overbought"] == 65


def test_its_replay_loads(tmp_path: Path) -> None:
    _, bot, replay = blocks()
    assert loaded(tmp_path, replay, bot).market.kind == "replay"


def test_its_error_is_what_is_said(tmp_path: Path, regatta: Regatta) -> None:
    (shown,) = re.findall(r"^ {4}error: config/(.+?), \.\.\.$", GUIDE, re.MULTILINE)
    _, bot, _ = blocks()
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "careful.yaml").write_text(bot.replace("stop_pct", "stop_pc"))
    said = regatta("run", "--config", tmp_path, "--data-dir", tmp_path / "data")
    assert said.err.startswith(f"error: {tmp_path}/{shown}, ")


@pytest.mark.parametrize("written", COMMANDS)
def test_its_commands_and_options_exist(written: str) -> None:
    command = get_command(app)
    words = written.split()
    while getattr(command, "commands", None):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
