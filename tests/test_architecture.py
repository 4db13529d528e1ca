"""The boundaries that import-linter does not see: clocks, dice, files, loggers, names, and what a repository may tell.

1. The core (`domain` to `sim`) reads no clock, no random source, no socket, no file and no logger.
2. Only `engine/clock.py` asks what time it is, and the report of a crash.
3. numba and polars are loaded by those who use them, when they use them.
4. No file that travels with the project names a machine's folders or a package registry.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "regatta"
CORE = ("domain", "indicators", "graph", "strategies", "risk", "bot", "sim")

CLOCKS_AND_DICE = {"time", "random", "secrets", "uuid"}
FILES_AND_PROCESSES = {"os", "pathlib", "io", "shutil", "tempfile", "glob", "sqlite3", "subprocess", "multiprocessing"}
NETWORK_AND_THREADS = {"socket", "ssl", "select", "selectors", "signal", "urllib", "http", "asyncio", "threading"}
THE_SHELLS_TOOLS = {"fastapi", "starlette", "uvicorn", "websockets", "httpx2", "sqlalchemy", "alembic", "psutil",
                    "ruamel", "rich", "typer", "logging", "warnings", "structlog", "concurrent"}  # fmt: skip
BANNED_IN_THE_CORE = CLOCKS_AND_DICE | FILES_AND_PROCESSES | NETWORK_AND_THREADS | THE_SHELLS_TOOLS
BANNED_CALLS_IN_THE_CORE = {"open", "print", "input", "breakpoint"}
LOADED_WHEN_USED = {"numba", "llvmlite", "polars"}
WALL_CLOCK = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}
MAY_ASK_THE_TIME = {"engine/clock.py", "cli/errors.py"}  # the latter dates a crash report
NAMES_WITHOUT_A_MEANING = re.compile(r"(Manager|Handler|Helpers?|Utils?)$")
ROOMS_WITHOUT_A_NOUN = {"utils", "util", "helpers", "helper", "misc", "common"}


def modules(*rooms: str) -> list[str]:
    """Return the package's modules, as paths inside it."""
    folders = [PACKAGE / room for room in rooms] if rooms else [PACKAGE]
    return sorted(path.relative_to(PACKAGE).as_posix() for folder in folders for path in folder.rglob("*.py"))


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"), module)


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the top-level packages that the statements import, ours left out."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - {"regatta"}


def on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what runs when a module is imported: not the bodies of functions, nor imports for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from on_import(child)


def dotted(node: ast.AST) -> tuple[str, str] | None:
    """Return the last two names of `a.b.c`, or None for anything else."""
    if not isinstance(node, ast.Attribute):
        return None
    if isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    if isinstance(node.value, ast.Attribute):
        return node.value.attr, node.attr
    return None


def wall_clock_reads(parsed: ast.Module) -> set[str]:
    """Return where a module asks for the time, also by `from time import time`."""
    found: set[str] = set()
    for node in ast.walk(parsed):
        if isinstance(node, ast.Attribute) and (name := dotted(node)) in WALL_CLOCK and name:
            found.add(f"{'.'.join(name)}, line {node.lineno}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            taken = [name.name for name in node.names if ("time", name.name) in WALL_CLOCK]
            found |= {f"time.{name}, line {node.lineno}" for name in taken}
    return found


def test_the_core_is_where_this_test_looks_for_it() -> None:
    assert all(modules(room) for room in CORE)


@pytest.mark.parametrize("module", modules(*CORE))
def test_the_core_reads_no_clock_no_network_no_file_and_no_dice(module: str) -> None:
    parsed = tree(module)
    banned = imported(ast.walk(parsed)) & BANNED_IN_THE_CORE
    assert not banned, f"{module} imports {banned}; take it as an event or an argument"
    for node in ast.walk(parsed):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in BANNED_CALLS_IN_THE_CORE, f"{module}:{node.lineno} calls {node.func.id}()"
        if isinstance(node, ast.Attribute):
            assert dotted(node) not in {("np", "random"), ("numpy", "random")}, f"{module}:{node.lineno} throws dice"


def test_only_the_clock_asks_what_time_it_is() -> None:
    reads = {module: found for module in modules() if (found := wall_clock_reads(tree(module)))}
    unasked = {module: found for module, found in reads.items() if module not in MAY_ASK_THE_TIME}
    assert not unasked, f"take a Clock: {unasked}"
    assert reads.keys() == MAY_ASK_THE_TIME, "one no longer asks: take it off the list"


def test_heavy_libraries_are_loaded_by_those_who_use_them() -> None:
    early = {m: heavy for m in modules() if (heavy := imported(on_import(tree(m))) & LOADED_WHEN_USED)}
    assert not early, f"import it in the function that needs it: {early}"


def test_everything_has_found_its_noun() -> None:
    for module in modules():
        assert not ROOMS_WITHOUT_A_NOUN & set(Path(module).with_suffix("").parts), module
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ClassDef):
                assert not NAMES_WITHOUT_A_MEANING.search(node.name), f"{module}:{node.lineno} class {node.name}"


def test_the_core_comes_up_without_heavy_libraries_and_without_the_shell() -> None:
    rooms = ", ".join(f"regatta.{room}" for room in CORE)
    heavy = sorted(LOADED_WHEN_USED | {"asyncio", "fastapi", "sqlalchemy", "uvicorn"})
    # numpy is the graph's own; what numpy brings along is not asked about.
    code = f"import sys, {rooms}; print(*[name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


# --- what is installed ------------------------------------------------------------------------------


def normal(name: str) -> str:
    """Return a distribution's name as the lock files spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {normal(re.split(r"[\[=<>~! ]", line)[0]) for line in project["dependencies"]}


# Halves of a declared package that its own documentation has users import, pinned by it.
COME_ALONG = {"pydantic-core", "starlette"}


def test_what_the_package_imports_is_declared() -> None:
    """Else it works only as long as another package happens to bring it."""
    owners = packages_distributions()
    for module in modules():
        for name in imported(ast.walk(tree(module))) - sys.stdlib_module_names:
            known = {normal(owner) for owner in owners.get(name, [name])}
            assert known & (declared() | COME_ALONG), f"{module} imports {name}, which is not declared"


def locked(file: str) -> dict[str, str]:
    """Return each package of a lock with its version (and marker); every one carries hashes."""
    packages: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / file).read_text(encoding="utf-8").strip()):
        head = block.splitlines()[0].rstrip(" \\")
        assert "--hash=sha256:" in block, f"{file}: {head} without a hash"
        packages[head.partition("==")[0]] = head.partition("==")[2]
    return packages


def test_the_demo_set_is_a_part_of_the_development_set() -> None:
    """One environment serves both; installing the larger takes nothing away."""
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert run.items() <= dev.items()


def test_the_locks_are_those_of_the_declared_dependencies() -> None:
    assert declared() <= locked("requirements.lock").keys()


def test_version_is_told_once() -> None:
    from regatta import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


# --- what the repository tells ----------------------------------------------------------------------


def travelling_files() -> list[str]:
    """Return what git would carry: tracked files, and new ones that no rule ignores."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return sorted(name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file())


# Put together here, so that this file does not break its own rule.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("npmmirror", "com"),
        ("anaconda", "org"),
        ("pkg", "dev"),
    ]
]
REGISTRY = re.compile("|".join(map(re.escape, REGISTRIES)))
MACHINE_PATH = re.compile(r"(?<![\w.~}$/-])/(?:root|home|work|Users|opt|mnt)/[\w.-]+/?|[A-Z]:\\Users\\")


def test_no_file_names_a_registry_or_a_folder_of_a_machine() -> None:
    found = []
    for name in travelling_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := REGISTRY.search(line) or MACHINE_PATH.search(line):
                found.append(f"{name}:{number}: {match.group()}")
    assert not found, "\n".join(found)


def test_no_lock_tells_where_it_was_resolved() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8"), name
    assert '"resolved"' not in (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")


def test_links_of_the_documentation_lead_somewhere() -> None:
    links = [
        (name, target)
        for name in travelling_files()
        if name.endswith(".md")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / name).read_text(encoding="utf-8"))
    ]
    assert links
    dead = [f"{name}: {target}" for name, target in links if not (ROOT / name).parent.joinpath(target).exists()]
    assert not dead, dead
