"""The running process: page before engine, orderly end, going on after it, and what stops it."""

import contextlib
import http.cookiejar
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regatta.domain.events import MarketReached
from regatta.journal import Journal
from tests.cli.conftest import Regatta

PATIENCE_S = 90
"""Longest wait for anything here; nothing is asserted about time."""


class Server:
    """A `regatta demo` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"
        self.said: list[str] = []

    def announced(self) -> str:
        """Wait for the lines that the process begins with; return the sign-in link."""
        assert self.process.stdout is not None
        while True:
            line = self.process.stdout.readline()
            assert line, f"ended: {self.ended()}"
            self.said.append(line)
            if line.startswith("sign in"):
                return line.split()[-1]

    def get(
        self, path: str, opener: urllib.request.OpenerDirector | None = None, post: bool = False
    ) -> tuple[int, str]:
        request = urllib.request.Request(path if path.startswith("http") else self.address + path)
        if post:
            request.data = b""
            request.add_header("Origin", self.address)
            request.add_header("Sec-Fetch-Site", "same-origin")
        try:
            with (opener or urllib.request.build_opener()).open(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def until(self, path: str, true: Callable[[Any], bool]) -> Any:
        """Ask until the answer is as wanted, and return it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            code, text = self.get(path)
            if code == 200 and true(json.loads(text)):
                return json.loads(text)
            time.sleep(0.1)
        pytest.fail(f"{path} never came to what was awaited: {code} {text[:300]}")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err


@pytest.fixture
def port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@contextlib.contextmanager
def demo(port: int, data_dir: Path, *, file_bytes: int | None = None) -> Iterator[Server]:
    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))

    command = [sys.executable, "-c", "from regatta.cli import main; main()", "demo", "--no-browser", "--speed", "600"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        preexec_fn=limit,
    )
    try:
        yield Server(process, port)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_demo_serves_trades_ends_in_order_and_goes_on(port: int, tmp_path: Path, regatta: Regatta) -> None:
    with demo(port, tmp_path) as server:
        link = server.announced()
        code, page = server.get("/")
        assert code == 200, "the page answers although the engine may not be up"
        assert "<html" in page
        status = server.until("/api/status", lambda status: all(bot["trades"] >= 3 for bot in status["bots"]))
        assert [bot["name"] for bot in status["bots"]] == ["V1", "V2"]

        assert server.get("/api/pause?bot=V1", post=True)[0] == 401, "writing needs the session"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        assert server.get(link, browser)[0] == 200
        assert server.get("/api/pause?bot=V1", browser, post=True)[0] == 200
        assert server.get(link)[0] in (401, 403, 404, 410), "the link works once"

        assert server.end(signal.SIGTERM) == (0, "stopping: the journal is being completed; once more ends at once\n")
    assert "all whole" in regatta("journal", "verify", "--data-dir", tmp_path).out
    before = regatta("trades", "--data-dir", tmp_path, "--json").json["totals"]["trades"]
    assert before >= 6

    with demo(port, tmp_path) as server:
        server.announced()
        status = server.until("/api/status", lambda status: sum(bot["trades"] for bot in status["bots"]) > before)
        assert status["bots"][0]["state"] == "paused", "as it was left"
        assert server.end(signal.SIGINT)[0] == 0


def test_a_signal_while_the_engine_starts_ends_in_order_too(port: int, tmp_path: Path, regatta: Regatta) -> None:
    with demo(port, tmp_path) as server:
        server.announced()
        assert server.end(signal.SIGINT)[0] == 0


def test_a_second_signal_ends_at_once(port: int, tmp_path: Path) -> None:
    with demo(port, tmp_path) as server:
        server.announced()
        os.kill(server.process.pid, signal.SIGSTOP)
        os.kill(server.process.pid, signal.SIGINT)  # both wait for the process to go on
        os.kill(server.process.pid, signal.SIGTERM)
        os.kill(server.process.pid, signal.SIGCONT)
        code, _ = server.ended()
        assert code in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_disk_that_fills_while_running_ends_with_3_and_nothing_confirmed_is_lost(
    port: int, tmp_path: Path, regatta: Regatta
) -> None:
    with demo(port, tmp_path, file_bytes=700_000) as server:
        server.announced()
        code, err = server.ended()
    assert code == 3, err
    assert "error: " in err
    assert "journal.sqlite" in err
    assert "Traceback" not in err
    assert "all whole" in regatta("journal", "verify", "--data-dir", tmp_path).out
    assert regatta("journal", "rebuild", "--data-dir", tmp_path, "--json").json["changed"] == []


def test_a_port_in_use_is_named_before_anything_else_starts(regatta: Regatta, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = regatta("demo", "--no-browser", "--port", port, "--data-dir", tmp_path / "data")
    assert said.code == 3
    assert said.err == f"error: port {port} on 127.0.0.1 is in use; stop what uses it, or use another --port\n"
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_cannot_be_made_is_named(regatta: Regatta, tmp_path: Path, port: int) -> None:
    (tmp_path / "file").write_text("")
    said = regatta("demo", "--no-browser", "--port", port, "--data-dir", tmp_path / "file" / "data")
    assert said.code == 3
    assert said.err == f"error: the data directory {tmp_path}/file/data can't be made: Not a directory\n"


def test_a_second_engine_on_the_same_data_is_refused_by_the_first_ones_name(
    regatta: Regatta, tmp_path: Path, port: int
) -> None:
    held = Journal.open_now(tmp_path / "journal.sqlite")
    try:
        said = regatta("demo", "--no-browser", "--port", port, "--data-dir", tmp_path)
    finally:
        held.close_now()
    assert said.code == 3
    assert f"process {os.getpid()}" in said.err.splitlines()[-1]
    assert said.err.splitlines()[-1].startswith("error: ")


def test_another_market_in_the_same_folder_is_refused(regatta: Regatta, tmp_path: Path, port: int) -> None:
    held = Journal.open_now(tmp_path / "journal.sqlite")
    held.append_now([MarketReached(at_ms=1, feed="generated-of-another-seed", phase="closed")])
    held.close_now()
    said = regatta("demo", "--no-browser", "--port", port, "--data-dir", tmp_path)
    assert said.code == 2
    assert "another market (generated-of-another-seed" in said.err
    assert "another --data-dir" in said.err
