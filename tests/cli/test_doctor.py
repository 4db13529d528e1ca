"""The doctor finds what is broken, says how to mend it, and ends with 3 then."""

import shutil
import socket
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.conftest import Regatta
from tests.cli.journals import written


def finding(document: dict[str, Any], what: str) -> dict[str, str]:
    (found,) = [one for one in document["findings"] if one["what"] == what]
    return dict(found)


def test_a_fit_machine_ends_with_0(regatta: Regatta, tmp_path: Path) -> None:
    written(tmp_path)
    said = regatta("doctor", "--data-dir", tmp_path, "--json")
    assert said.code == 0
    assert said.json["ok"] is True
    assert finding(said.json, "journal")["found"].endswith("6 records, chain unbroken")


def test_a_data_directory_that_is_not_there_yet_is_no_fault_and_is_not_made(regatta: Regatta, tmp_path: Path) -> None:
    said = regatta("doctor", "--data-dir", tmp_path / "new", "--json")
    assert said.code == 0
    assert not (tmp_path / "new").exists()


def test_a_data_directory_that_is_a_file_is_broken(regatta: Regatta, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = regatta("doctor", "--data-dir", tmp_path / "file")
    assert said.code == 3
    assert f"FAIL data directory: {tmp_path / 'file'} is a file\n     move it away" in said.out


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "state", "code"), [(50, "broken", 3), (500, "warning", 0), (5_000, "ok", 0)])
def test_a_full_disk_is_broken_before_it_hurts(
    regatta: Regatta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str, code: int
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 0, free * 10**6))
    said = regatta("doctor", "--data-dir", tmp_path, "--json")
    assert (finding(said.json, "disk")["state"], said.code) == (state, code)


def test_a_corrupt_journal_is_broken(regatta: Regatta, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1000)
    said = regatta("doctor", "--data-dir", tmp_path, "--json")
    assert said.code == 3
    assert finding(said.json, "journal")["state"] == "broken"


def test_a_port_in_use_is_named(regatta: Regatta, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = regatta("doctor", "--data-dir", tmp_path, "--port", port, "--json")
    assert finding(said.json, "port")["found"] == f"port {port} on 127.0.0.1 is in use"


def test_a_journal_written_in_the_future_means_a_wrong_clock(regatta: Regatta, tmp_path: Path) -> None:
    import os

    path = written(tmp_path)
    os.utime(path, (4_000_000_000, 4_000_000_000))
    said = regatta("doctor", "--data-dir", tmp_path, "--json")
    assert finding(said.json, "clock")["state"] == "warning"


def test_settings_are_checked_when_a_folder_is_named(regatta: Regatta, tmp_path: Path, config: Path) -> None:
    said = regatta("doctor", "--data-dir", tmp_path / "data", "--config", config, "--json")
    assert finding(said.json, "settings") == {
        "what": "settings",
        "state": "ok",
        "found": f"{config}: V1",
        "mend": "",
    }
