"""Times, sessions, idempotency, files, sums: the parts without an engine."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from regatta.api.grids import Grids, decimals
from regatta.api.idempotency import Idempotency
from regatta.api.problems import Problematic
from regatta.api.routes.socket import MAX_PER_SECOND, Pace
from regatta.api.schemas import ActionResult
from regatta.api.sessions import ABSOLUTE_MS, IDLE_MS, MAX_SESSIONS, Sessions
from regatta.api.sums import TradeSums
from regatta.api.times import day_of, iso, when_ms
from regatta.api.webfiles import WebFiles
from regatta.domain.errors import BadInput
from regatta.domain.timeframe import DAY_MS
from tests.api.engine import START_MS, TestClock

# --- Times -----------------------------------------------------------------------------------


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_that_was_written_reads_back_as_itself(at_ms: int) -> None:
    assert when_ms(iso(at_ms), "from") == at_ms


def test_times_are_utc_unless_they_say_otherwise() -> None:
    assert iso(START_MS) == "2025-05-25T00:00:00.000Z"
    assert day_of(START_MS) == "2025-05-25"
    assert when_ms("2025-05-25", "from") == START_MS
    assert when_ms("2025-05-25T02:00:00+02:00", "from") == START_MS


def test_a_time_that_is_none_names_its_field() -> None:
    with pytest.raises(BadInput, match=r"from: 'yesterday' is not a time; allowed: ISO 8601"):
        when_ms("yesterday", "from")


# --- Sessions --------------------------------------------------------------------------------


def test_a_link_opens_one_session_once() -> None:
    sessions = Sessions(TestClock())
    token = sessions.issue_link()
    session = sessions.open(token)
    assert sessions.holds(session)
    assert sessions.open(token) is None
    assert sessions.open("guessed") is None


def test_a_session_ends_when_idle_when_old_and_when_closed() -> None:
    clock = TestClock()
    sessions = Sessions(clock)

    idle = sessions.open(sessions.issue_link())
    clock.ms += IDLE_MS
    assert not sessions.holds(idle)

    used = sessions.open(sessions.issue_link())
    for _ in range(ABSOLUTE_MS // DAY_MS - 1):
        clock.ms += DAY_MS
        assert sessions.holds(used)
    clock.ms += DAY_MS
    assert not sessions.holds(used)

    closed = sessions.open(sessions.issue_link())
    sessions.close(closed)
    assert not sessions.holds(closed)


def test_sessions_are_bounded_and_the_longest_idle_gives_way() -> None:
    clock = TestClock()
    sessions = Sessions(clock)
    opened = []
    for _ in range(MAX_SESSIONS + 1):
        clock.ms += 1
        opened.append(sessions.open(sessions.issue_link()))
    assert [sessions.holds(session) for session in opened] == [False] + [True] * MAX_SESSIONS


# --- Idempotency -----------------------------------------------------------------------------


def test_the_same_request_is_answered_from_memory() -> None:
    kept = Idempotency(TestClock())
    assert kept.begin("k", "close BTC") is None
    answer = ActionResult(orders=["V1-0001"])
    kept.finish("k", answer)
    assert kept.begin("k", "close BTC") == answer


def test_a_key_is_refused_for_another_request_and_while_under_way() -> None:
    kept = Idempotency(TestClock())
    kept.begin("k", "close BTC")
    with pytest.raises(Problematic, match="another request"):
        kept.begin("k", "close ETH")
    with pytest.raises(Problematic, match="still under way"):
        kept.begin("k", "close BTC")


def test_a_key_is_free_again_after_a_refusal_and_after_a_day() -> None:
    clock = TestClock()
    kept = Idempotency(clock)
    kept.begin("k", "close BTC")
    kept.abandon("k")
    assert kept.begin("k", "close ETH") is None
    clock.ms += DAY_MS + 1
    assert kept.begin("k", "close XRP") is None


@pytest.mark.parametrize("key", ["", "x" * 129, "ü", "a\nb"])
def test_a_key_has_1_to_128_printable_characters(key: str) -> None:
    with pytest.raises(Problematic, match="1 to 128 printable"):
        Idempotency(TestClock()).begin(key, "close BTC")


# --- Pace, grids, sums -----------------------------------------------------------------------


def test_fifty_messages_a_second_are_allowed_and_no_more() -> None:
    pace = Pace()
    assert all(pace.allows(n * 0.021) for n in range(500))
    hasty = Pace()
    assert [hasty.allows(0.0) for _ in range(MAX_PER_SECOND + 1)] == [True] * MAX_PER_SECOND + [False]


@pytest.mark.parametrize(("step", "shown"), [("0.050", 2), ("10", 0), ("1E+2", 0), ("0.00000001", 8), ("0.25", 2)])
def test_decimals_show_every_multiple_of_a_step(step: str, shown: int) -> None:
    assert decimals(Decimal(step)) == shown


def test_prices_are_exact_and_empty_where_the_instrument_is_unknown() -> None:
    grids = Grids()
    text = '{"instruments": {"DOGE/USDT:USDT": {"tick_size": "0.00001", "lot_step": "1", "contract_size": "10"}}}'
    grids.register("V1", mode="virtual", venue="mexc", initial_e8=1, settings=text)
    assert grids.price("V1", "DOGE/USDT:USDT", 12_345_678_901) == "123456.78901"
    assert grids.quantity("V1", "DOGE/USDT:USDT", 7) == "70"
    assert grids.quote("V1", "DOGE/USDT:USDT") == "USDT"
    assert grids.price("V1", "BTC/USDT:USDT", 1) == ""
    (view,) = grids.views()
    assert (view.venue, view.kind, view.price_decimals, view.quantity_decimals) == ("mexc", "swap", 5, 0)


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 10**9), st.integers(-(10**9), 10**9))))
def test_sums_of_trades_are_exact(trades: list[tuple[int, int, int]]) -> None:
    sums = TradeSums()
    for trade in trades:
        sums.add(*trade)
    view = sums.view()
    assert Decimal(view.pnl) == sum((Decimal(t[0]) for t in trades), Decimal(0)).scaleb(-8)
    assert view.wins + view.losses + sum(t[0] == 0 for t in trades) == view.trades == len(trades)
    assert (view.average is None) == (not trades)


# --- Files -----------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "webui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Regatta</title>")
    (folder / "assets" / "index-abc123.js").write_text("console.log(1);" * 200)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def request_for(path: str, **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": path, "headers": named, "query_string": b""})


def test_a_page_of_the_dashboard_is_its_index_and_asked_for_anew_each_time(built: Path) -> None:
    files = WebFiles(built)
    for path in ("/", "/bots", "/history"):
        response = files.serve(request_for(path))
        assert b"<title>Regatta</title>" in bytes(response.body)
        assert response.headers["cache-control"] == "no-cache"


def test_files_named_by_their_content_are_kept_for_ever_and_sent_compressed(built: Path) -> None:
    response = WebFiles(built).serve(request_for("/assets/index-abc123.js", accept_encoding="gzip, br"))
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(response.body)).startswith(b"console.log")


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(built: Path) -> None:
    files = WebFiles(built)
    etag = files.serve(request_for("/")).headers["etag"]
    assert files.serve(request_for("/", if_none_match=etag)).status_code == 304
    (built / "index.html").write_text("<!doctype html><title>New</title>")
    assert b"New" in bytes(files.serve(request_for("/", if_none_match=etag)).body)


@pytest.mark.parametrize("path", ["/missing.js", "/assets/gone", "/../secret.txt", "/assets/../../secret.txt"])
def test_a_file_that_is_not_there_or_outside_is_404(built: Path, path: str) -> None:
    assert WebFiles(built).serve(request_for(path)).status_code == 404


def test_a_dashboard_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    response = WebFiles(tmp_path / "nothing").serve(request_for("/"))
    assert response.status_code == 503
    assert b"python3 run.py setup" in bytes(response.body)
