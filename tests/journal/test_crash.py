"""kill -9 at any moment: what was confirmed is there, the chain is whole, the tables are the fold."""

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from regatta.journal import Journal

WRITER = """
    import asyncio, os, sys
    from pathlib import Path
    from regatta.domain.events import EquityMarked, HoldsCounted, MarketReached
    from regatta.journal import Journal

    async def caller(journal, name):
        for n in range(100_000):
            records = [
                EquityMarked(at_ms=n, bot=name, balance_e8=n, equity_e8=-n),
                HoldsCounted(at_ms=n, bot=name, from_ms=0, holds={"A/B": {"trend": 1, "rsi": n % 3 + 1}}),
                MarketReached(at_ms=n, feed=name, phase="closed"),
            ]
            numbers = await journal.append(records[: 1 + n % 3])
            os.write(1, f"{numbers[-1]}\\n".encode())

    async def main():
        os.write(1, b"opening\\n")
        journal = await Journal.open(Path(sys.argv[1]))
        os.write(1, f"{journal.last_seq}\\n".encode())
        await asyncio.gather(*(caller(journal, f"V{i}") for i in range(4)))

    asyncio.run(main())
"""


def start(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "opening\n"
    return process


def kill(process: "subprocess.Popen[str]") -> list[int]:
    """End the writer and return the numbers that it had confirmed but we had not read."""
    process.kill()
    assert process.stdout is not None
    rest = process.stdout.read().split("\n")[:-1]
    process.wait()
    process.stdout.close()
    return [int(line) for line in rest]


def check(path: Path, confirmed: int) -> None:
    journal = Journal.open_now(path)
    assert journal.last_seq >= confirmed
    assert journal.verify() == journal.last_seq
    tables = journal.tables()
    assert journal.rebuild() == journal.last_seq
    assert journal.tables() == tables
    journal.close_now()


def test_ten_deaths_in_a_row_lose_nothing_that_was_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    dice = random.Random(2026)
    confirmed = 0
    for _ in range(10):
        process = start(path)
        assert process.stdout is not None
        assert int(process.stdout.readline()) >= confirmed, "what the last one confirmed"
        for _ in range(dice.randrange(1, 60)):
            confirmed = max(confirmed, int(process.stdout.readline()))
        confirmed = max([confirmed, *kill(process)])
        check(path, confirmed)
    assert confirmed > 300


@pytest.mark.parametrize("delay_ms", [0, 20, 60, 120, 240])
def test_a_death_while_the_journal_is_made_leaves_one_that_opens(tmp_path: Path, delay_ms: int) -> None:
    path = tmp_path / "journal.sqlite"
    process = start(path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(delay_ms / 1000)
    check(path, max([0, *kill(process)]))
