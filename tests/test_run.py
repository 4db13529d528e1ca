"""run.py, the file that must work before anything is installed."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "run.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(RUN))


def test_an_unknown_command_is_named_and_the_known_ones_are_told() -> None:
    answer = run("deom")
    assert answer.returncode == 2
    assert "unknown command: deom" in answer.stderr
    assert "usage: python3 run.py demo" in answer.stderr


def test_help_names_each_command(program: dict[str, Any]) -> None:
    answer = run("--help")
    assert answer.returncode == 0
    assert set(re.findall(r"run\.py (\w+)", answer.stdout)) == set(program["COMMANDS"])


def test_an_old_python_can_read_the_file_that_tells_it_so() -> None:
    """Newer syntax would end in a syntax error instead of the message."""
    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_nothing_but_the_standard_library_is_needed() -> None:
    parsed = ast.parse(RUN.read_text(encoding="utf-8"))
    names = {name.name for node in ast.walk(parsed) if isinstance(node, ast.Import) for name in node.names}
    assert not [node for node in ast.walk(parsed) if isinstance(node, ast.ImportFrom)]
    assert names <= sys.stdlib_module_names


def test_uv_comes_at_the_version_and_with_the_hashes_of_the_lock(program: dict[str, Any]) -> None:
    pin: str = program["uv_pin"]()
    assert re.match(r"uv==[\d.]+ \\\n", pin)
    assert pin.count("==") == 1
    assert "--hash=sha256:" in pin


def test_make_knows_the_same_commands(program: dict[str, Any]) -> None:
    targets = (ROOT / "Makefile").read_text(encoding="utf-8").partition(":")[0].split()
    assert set(targets) == set(program["COMMANDS"])
