"""Logs: one JSON document a line in the file, and never a secret in it."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from regatta.cli.logging import redacted, set_up_logging
from regatta.domain.errors import EnvironmentFault

CANARY = "c4n4ry-5ecret-value"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_our_lines_and_those_of_libraries_are_json_with_level_name_and_time(tmp_path: Path) -> None:
    path = set_up_logging(tmp_path / "logs", "INFO", console=False)
    structlog.get_logger("regatta.test").info("bot started", bot="V1")
    logging.getLogger("some.library").warning("odd: %s", 7)
    ours, theirs = lines(path)
    assert (ours["event"], ours["bot"], ours["level"], ours["logger"]) == ("bot started", "V1", "info", "regatta.test")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("odd: 7", "warning", "some.library")
    assert str(ours["timestamp"]).endswith("Z")


def test_what_is_less_serious_than_the_level_is_left_out(tmp_path: Path) -> None:
    path = set_up_logging(tmp_path, "WARNING", console=False)
    structlog.get_logger("regatta.test").info("not this")
    logging.getLogger("some.library").info("nor this")
    assert lines(path) == []


def test_no_secret_reaches_the_log_however_it_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_API_SECRET", CANARY)
    path = set_up_logging(tmp_path, "DEBUG", console=False)
    log = structlog.get_logger("regatta.test")
    log.info(f"signing with {CANARY}")
    log.info("keys", api_secret="x" + CANARY, nested={"password": CANARY, "list": [CANARY]})
    logging.getLogger("ccxt").debug("POST /order?symbol=X&signature=abcdef0123456789 apiKey: 'k3y-0123456789'")
    logging.getLogger("library").info("GET /signin?token=0123456789abcdef done")
    try:
        raise ValueError(f"bad secret {CANARY}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed")
    text = path.read_text()
    assert len(text.splitlines()) == 6
    for hidden in (CANARY, "abcdef0123456789", "k3y-0123456789", "0123456789abcdef"):
        assert hidden not in text
    assert "symbol=X" in text
    assert "ValueError" in text


def test_text_without_secrets_stays_as_it_is() -> None:
    said = "V1 bought 0.5 BTC/USDT:USDT at 27123.1; token bucket: 40 of 1200 used"
    assert redacted(said) == said


def test_files_are_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regatta.cli.logging.FILE_BYTES", 10_000)
    path = set_up_logging(tmp_path, "INFO", console=False)
    log = structlog.get_logger("regatta.test")
    for _ in range(12):
        log.info("x" * 1_000)
    assert path.with_name("regatta.log.1").exists()
    assert path.stat().st_size < 10_000


def test_a_folder_that_cannot_be_written_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(EnvironmentFault, match="cannot write logs into"):
        set_up_logging(tmp_path / "logs", "INFO", console=False)
