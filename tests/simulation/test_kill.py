"""A real engine process, killed at random moments; `python3 run.py soak kill` does it 200 times."""

from pathlib import Path

import pytest

from tests.soak import kill


@pytest.mark.soak
def test_an_engine_killed_twenty_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    report = kill.run(20, seed=7, folder=tmp_path)
    assert report.trades > 20
    assert report.fills > 40
