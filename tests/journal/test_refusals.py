"""What the journal does not take, and that it is as good as before afterwards."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from regatta.domain.errors import BadInput, EnvironmentFault, RegattaError
from regatta.domain.events import AnyRecord, DecisionTaken, EquityMarked, PlaceOrder, TradeClosed
from regatta.journal import Journal, MemoryJournal
from tests.journal.test_journal import started, trading_records
from tests.scripted import Market

RECORDS = trading_records()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open_now(tmp_path / "journal.sqlite")
    yield opened
    opened.close_now()


def decision_with(**numbers: float) -> DecisionTaken:
    record = next(record for record in RECORDS if isinstance(record, DecisionTaken))
    signal = msgspec.structs.replace(record.decision.signal, **numbers)
    return msgspec.structs.replace(record, decision=msgspec.structs.replace(record.decision, signal=signal))


def marked(equity_e8: int) -> EquityMarked:
    return EquityMarked(at_ms=1, bot="V1", balance_e8=0, equity_e8=equity_e8)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_decision_with_a_number_that_json_lacks_is_refused_not_written_as_null(
    journal: Journal, number: float
) -> None:
    with pytest.raises(ValueError, match=r"bot V1, .*a decision with the number (nan|inf|-inf) can't be kept"):
        journal.append_now([started(1), decision_with(score=number)])
    assert list(journal.append_now([decision_with(score=50.0)])) == [1]
    assert [record for _, record in journal.replay()] == [decision_with(score=50.0)]


def test_a_number_beyond_64_bits_is_refused_and_names_itself(journal: Journal) -> None:
    with pytest.raises(ValueError, match="beyond 64 bits"):
        journal.append_now([started(1), marked(2**63)])
    with pytest.raises(ValueError, match="at_ms 9223372036854775808 is beyond 64 bits"):
        journal.append_now([started(2**63)])
    assert list(journal.append_now([marked(2**63 - 1)])) == [1]


@pytest.mark.parametrize("kind", [PlaceOrder, TradeClosed])
def test_an_order_intended_twice_or_a_trade_closed_twice_is_refused(
    journal: Journal, kind: type[PlaceOrder | TradeClosed]
) -> None:
    journal.append_now(RECORDS)
    tables = journal.tables()
    again = next(record for record in RECORDS if isinstance(record, kind))
    with pytest.raises(ValueError, match="a record contradicts the journal: UNIQUE constraint failed"):
        journal.append_now([started(1), again])
    assert journal.last_seq == len(RECORDS)
    assert journal.tables() == tables
    assert list(journal.append_now([started(1)])) == [len(RECORDS) + 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{", "bot V1: settings: Input data was truncated"),
        ("[]", "bot V1: settings: Expected `object`, got `array`"),
        ('{"instruments": {"A/B": {"tick_size": "0.1"}}}', "missing required field `lot_step`"),
        (
            '{"instruments": {"A/B": {"tick_size": "0", "lot_step": "1"}}}',
            r"bot V1: settings: instruments\.A/B\.tick_size is 0; allowed: above 0",
        ),
        ('{"instruments": {"A/B": {"tick_size": "NaN", "lot_step": "1"}}}', "tick_size is NaN; allowed: above 0"),
    ],
)
def test_settings_that_nobody_could_read_again_are_refused(journal: Journal, settings: str, message: str) -> None:
    registration = msgspec.structs.replace(
        Market(1, 2, missing=0, short=False, busy=0).registration(), settings=settings
    )
    with pytest.raises(BadInput, match=message):
        journal.append_now([registration])
    assert journal.last_seq == 0


async def test_a_bad_batch_does_not_take_its_neighbours_with_it(journal: Journal) -> None:
    async def append(records: list[AnyRecord]) -> list[int] | str:
        try:
            return list(await journal.append(records))
        except ValueError as fault:
            return str(fault)[:30]

    batches: list[list[AnyRecord]] = [[started(n), marked(2**70 if n == 3 else n)] for n in range(6)]
    answers = await asyncio.gather(*(append(batch) for batch in batches))
    assert answers == [[1, 2], [3, 4], [5, 6], "a record holds a number beyond", [7, 8], [9, 10]]
    assert [record for _, record in journal.replay()] == [r for n, batch in enumerate(batches) if n != 3 for r in batch]
    assert journal.verify() == 10


async def test_a_caller_that_was_cancelled_leaves_the_journal_whole(journal: Journal) -> None:
    task = asyncio.create_task(journal.append([started(1)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    after = list(await journal.append([started(2)]))
    assert after == [journal.last_seq]
    assert [record.at_ms for _, record in journal.replay()][-1] == 2
    assert journal.verify() == journal.last_seq


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal.open_now(tmp_path / "journal.sqlite")
    journal.close_now()
    journal.close_now()
    for closed in (journal, MemoryJournal()):
        closed.close_now()
        with pytest.raises(EnvironmentFault, match=r"the journal .* is closed"):
            closed.append_now([started(1)])


async def test_the_failure_that_ends_a_journal_is_told_to_every_caller(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open_now(path, busy_timeout_ms=10)
    await journal.append([started(1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(*(journal.append([started(n)]) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [EnvironmentFault] * 3
    assert all("journal.sqlite failed: database is locked" in str(answer) for answer in answers)
    with pytest.raises(RegattaError, match="database is locked"):
        await journal.append([started(4)])
    with pytest.raises(RegattaError, match="database is locked"):
        journal.append_now([started(4)])
    assert journal.last_seq == 1
    await journal.close()
    again = Journal.open_now(path)
    assert list(again.append_now([started(5)])) == [2]
    again.close_now()
