"""Whatever happens to the files: what was confirmed is there, or it is said that it is not."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from regatta.domain.errors import EnvironmentFault
from regatta.journal import Journal
from tests.journal.test_journal import started, trading_records

RECORDS = trading_records()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def filled(path: Path) -> Path:
    journal = Journal.open_now(path)
    journal.append_now(RECORDS)
    journal.close_now()
    return path


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def open_and_verify(path: Path) -> None:
    journal = Journal.open_now(path)
    try:
        journal.verify()
    finally:
        journal.close_now()


@pytest.mark.parametrize("record", [1, 7, len(RECORDS) // 2, len(RECORDS)])
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("body = replace(body, 'at_ms', 'At_ms')", "was changed after it was written"),
        ("hash = replace(hash, substr(hash, 1, 1), 'z')", "was changed after it was written"),
        ("at_ms = at_ms + 1", "say something else than its text"),
        ("bot = bot || '.'", "say something else than its text"),
        ("kind = 'Trade'", "say something else than its text"),
    ],
)
def test_no_column_of_any_row_changes_unnoticed(path: Path, record: int, column: str, message: str) -> None:
    change(filled(path), f"UPDATE events SET {column} WHERE seq = {record}")
    with pytest.raises(EnvironmentFault, match=rf"row {record}.* {message}|row {record} {message}"):
        open_and_verify(path)


def test_replay_and_verify_find_damage_that_lies_before_the_end_that_was_checked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regatta.journal.journal.CHECKED_AT_OPEN", 10)
    monkeypatch.setattr("regatta.journal.journal.REPLAY_CHUNK", 7)
    change(filled(path), "UPDATE events SET body = replace(body, 'at_ms', 'At_ms') WHERE seq = 20")
    journal = Journal.open_now(path)
    read: list[int] = []
    with pytest.raises(EnvironmentFault, match="row 20 was changed"):
        read.extend(seq for seq, _ in journal.replay())
    assert read == list(range(1, 20))
    with pytest.raises(EnvironmentFault, match="row 20 was changed"):
        journal.verify()
    with pytest.raises(EnvironmentFault, match="row 20 was changed"):
        journal.rebuild()
    assert len(journal.tables()["trades"]) > 10, "a rebuild that fails leaves the tables as they were"
    assert [seq for seq, _ in journal.replay(after=20)] == list(range(21, len(RECORDS) + 1))
    journal.close_now()


@pytest.mark.parametrize("cut", [1, 2, 50])
def test_a_missing_end_is_noticed_although_the_chain_is_whole(path: Path, cut: int) -> None:
    last = len(RECORDS)
    change(filled(path), f"DELETE FROM events WHERE seq > {last - cut}")
    with pytest.raises(EnvironmentFault, match=rf"ends at row {last - cut}, but row {last} had been confirmed"):
        Journal.open_now(path)
    path.with_suffix(".tip").unlink()
    journal = Journal.open_now(path)
    assert journal.last_seq == last - cut, "deleting the tip is the user's word that it is meant"
    journal.close_now()


def test_an_old_copy_put_back_is_noticed(path: Path) -> None:
    old = shutil.copy(filled(path), path.with_suffix(".old"))
    journal = Journal.open_now(path)
    journal.append_now([started(1)])
    journal.close_now()
    shutil.copy(old, path)
    with pytest.raises(EnvironmentFault, match="its end is missing"):
        Journal.open_now(path)


def test_another_journal_in_its_place_is_noticed(path: Path, tmp_path: Path) -> None:
    filled(path)
    other = Journal.open_now(tmp_path / "other" / "journal.sqlite")
    other.append_now([started(n) for n in range(len(RECORDS) + 10)])
    other.close_now()
    shutil.copy(other.path, path)
    with pytest.raises(EnvironmentFault, match=rf"is another one than was written here: row {len(RECORDS)} differs"):
        Journal.open_now(path)


@pytest.mark.parametrize("text", [b"", b"0" * 40, b"garbage\n", b"00000000000000000099 abc def\n"])
def test_a_tip_that_was_not_fully_written_is_no_reason_to_refuse(path: Path, text: bytes) -> None:
    filled(path).with_suffix(".tip").write_bytes(text)
    journal = Journal.open_now(path)
    assert journal.last_seq == len(RECORDS)
    journal.close_now()


def running_copy(path: Path, to: Path, *, commits: int) -> list[int]:
    """Copy the files of a journal while it is open, as a power failure finds them; return its commits' ends."""
    journal = Journal.open_now(path)
    ends = [list(journal.append_now([started(n)] * (1 + n % 3)))[-1] for n in range(commits)]
    for suffix in ("", "-wal"):
        shutil.copy(path.with_name(path.name + suffix), to.with_name(to.name + suffix))
    journal.close_now()
    return ends


def test_a_log_cut_at_any_byte_gives_whole_commits_only(path: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn" / "journal.sqlite"
    torn.parent.mkdir()
    ends = [0, *running_copy(path, torn, commits=12)]
    log = torn.with_name("journal.sqlite-wal")
    whole_db, whole_log = torn.read_bytes(), log.read_bytes()
    assert len(whole_log) > 40_000
    dice = random.Random(7)
    found: set[int] = set()
    commits_begin = len(whole_log) * 2 // 3
    cuts = [dice.randrange(commits_begin) for _ in range(5)]
    cuts += [dice.randrange(commits_begin, len(whole_log)) for _ in range(20)]
    for cut in cuts:
        torn.write_bytes(whole_db)
        log.write_bytes(whole_log[:cut])
        for extra in torn.parent.glob("*.tip"):
            extra.unlink()
        journal = Journal.open_now(torn)
        assert journal.last_seq in ends
        assert journal.verify() == journal.last_seq
        tables = journal.tables()
        journal.rebuild()
        assert journal.tables() == tables
        found.add(journal.last_seq)
        journal.close_now()
    assert len(found) > 3, "the cuts fell into different commits"


def test_a_cut_log_is_noticed_when_it_held_what_was_confirmed(path: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn" / "journal.sqlite"
    torn.parent.mkdir()
    ends = running_copy(path, torn, commits=12)
    shutil.copy(path.with_suffix(".tip"), torn.with_suffix(".tip"))
    log = torn.with_name("journal.sqlite-wal")
    log.write_bytes(log.read_bytes()[:-3000])
    with pytest.raises(EnvironmentFault, match=rf"ends at row {ends[-2]}, but row {ends[-1]} had been confirmed"):
        Journal.open_now(torn)


def test_flipped_bits_are_found_or_changed_nothing(path: Path) -> None:
    whole = filled(path).read_bytes()
    dice = random.Random(11)
    silent = 0
    for _ in range(60):
        at, bit = dice.randrange(len(whole)), 1 << dice.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        try:
            journal = Journal.open_now(path)
        except (EnvironmentFault, ValueError):
            continue
        try:
            journal.verify()
            assert [record for _, record in journal.replay()] == RECORDS, f"bit {bit} of byte {at}"
            silent += 1
        except EnvironmentFault:
            pass
        finally:
            journal.close_now()
    assert silent < 60
