"""Compiled code on disk: found again, never stale, never in the way."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regatta
from regatta.domain.errors import BadInput
from regatta.engine.code_cache import CodeCache, default_directory, live_entry, sources_hash
from regatta.engine.strategy_files import load
from regatta.graph import Graph, GraphFunction, Market, Rules, build, checks, ema, signals, sma
from tests.graph.candles import walk

m = Market()


def graph_of(n: int = 9) -> Graph:
    return build(Rules(enter_long=checks(up=m.close > ema(m.close, n))))


def run(graph: Graph, function: GraphFunction) -> list[int]:
    X = walk(200)
    SIG = np.zeros(200, np.uint8)
    signals(graph, function, X, SIG)
    return [int(s) for s in SIG]


def from_disk(function: GraphFunction) -> bool:
    """Return whether the function was read from the cache instead of compiled."""
    stats: Any = function.call
    return bool(sum(stats.stats.cache_hits.values()) == 1)


def test_what_was_compiled_once_is_read_the_next_time(tmp_path: Path) -> None:
    first, second = CodeCache(tmp_path), CodeCache(tmp_path)
    assert not first.known(graph_of())
    assert not from_disk(first.graph(graph_of()))
    assert second.known(graph_of())
    assert from_disk(second.graph(graph_of()))
    assert run(graph_of(), second.graph(graph_of())) == run(graph_of(), graph_of().plain())
    assert not first.warnings + second.warnings


def test_graphs_that_differ_in_numbers_only_are_compiled_once(code_cache: CodeCache) -> None:
    assert code_cache.graph(graph_of(9)) is code_cache.graph(graph_of(21))
    assert run(graph_of(21), code_cache.graph(graph_of(21))) == run(graph_of(21), graph_of(21).plain())


def test_a_step_is_compiled_once_for_all_graphs(code_cache: CodeCache) -> None:
    one = graph_of()
    other = build(Rules(enter_long=checks(up=m.close > ema(m.open, 9), down=m.low < ema(m.close, 5))))
    (step,) = one.operators
    compiled: list[Any] = [code_cache.graph(graph).call for graph in (one, other)]
    assert len({id(function.py_func.__globals__[step]) for function in compiled}) == 1


def test_a_function_is_compiled_once(code_cache: CodeCache) -> None:
    assert code_cache.jit(sources_hash) is code_cache.jit(sources_hash)


def test_the_compiled_form_refuses_blocks_of_another_type(code_cache: CodeCache) -> None:
    graph, X = graph_of(), walk(10)
    P, S, J, V = graph.parameters(), graph.new_state(), np.array([0, 10]), np.empty((0, 10))
    with pytest.raises(TypeError):
        code_cache.graph(graph)(X.astype(np.float32), np.empty(0), P, S, J, np.zeros(10, np.uint8), V)


# --- Never stale -----------------------------------------------------------------------------


def test_a_change_in_any_source_that_may_be_compiled_is_another_folder(tmp_path: Path) -> None:
    root = tmp_path / "regatta"
    shutil.copytree(regatta.__path__[0], root, ignore=shutil.ignore_patterns("webui", "__pycache__"))
    before = sources_hash(root)
    assert before == sources_hash()
    with (root / "indicators" / "averages.py").open("a") as file:
        file.write("# changed\n")
    after = sources_hash(root)
    assert after != before
    with (root / "engine" / "code_cache.py").open("a") as file:
        file.write("# changed\n")
    assert sources_hash(root) == after


OWN_STRATEGY = """
from regatta.graph import Rules, apply, checks
from regatta.indicators import Operator
from regatta.strategies import Strategy, StrategyParameters

def scaled(x):
    return x * FACTOR

def own_step(x, k):
    return k, scaled(x)

OWN = Operator("own", own_step, ("x",), ("own",), (), lambda: (), lambda: (0,), lambda: (1,), lambda: 0)

def rules(m, p):
    return Rules(enter_long=checks(own=apply(OWN, m.close) > 30_000.0 * 0.999))

STRATEGY = Strategy("own", "Own", "A step of its own.", StrategyParameters, rules)
"""


def own_graph(folder: Path, factor: str, text: str = OWN_STRATEGY) -> Graph:
    file = folder / f"own_{factor[-1]}.py"
    file.write_text(text.replace("FACTOR", factor))
    strategy = load(file)
    return build(strategy.rules(Market(), strategy.Parameters()))


def test_a_users_own_step_is_compiled_and_its_change_is_noticed(tmp_path: Path) -> None:
    one, half = (own_graph(tmp_path, factor) for factor in ("1.0", "0.5"))
    assert one.key != half.key
    cache = CodeCache(tmp_path / "cache")
    assert run(one, cache.graph(one)) == run(one, one.plain())
    assert run(half, cache.graph(half)) == run(half, half.plain())
    assert any(run(one, cache.graph(one)))
    assert not any(run(half, cache.graph(half)))


def test_a_step_that_can_not_be_compiled_is_named_and_leaves_the_cache_alone(tmp_path: Path) -> None:
    graph = own_graph(tmp_path, "1.0", OWN_STRATEGY.replace("k, scaled(x)", "(k, x) if x > 0.0 else k"))
    cache = CodeCache(tmp_path / "cache")
    with pytest.raises(BadInput, match=r"own_step can't be compiled"):
        cache.graph(graph)
    assert not cache.warnings
    assert any(run(graph, graph.plain()))


def test_another_process_finds_a_users_own_step(tmp_path: Path) -> None:
    graph = own_graph(tmp_path, "1.0")
    warming = CodeCache(tmp_path / "cache").warm(graph)
    warming.wait(60)
    assert from_disk(warming.function())


# --- Never in the way ------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
def test_a_damaged_cache_is_compiled_anew_with_one_warning(tmp_path: Path, damage: bytes | None) -> None:
    CodeCache(tmp_path).graph(graph_of())
    for file in [*tmp_path.rglob("*.nbi"), *tmp_path.rglob("*.nbc")]:
        file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    cache = CodeCache(tmp_path)
    assert run(graph_of(), cache.graph(graph_of())) == run(graph_of(), graph_of().plain())
    assert len(cache.warnings) == 1
    assert str(cache.folder) in cache.warnings[0]
    assert from_disk(CodeCache(tmp_path).graph(graph_of()))


def test_a_folder_that_can_not_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = CodeCache(tmp_path / "file" / "cache")
    assert run(graph_of(), cache.graph(graph_of())) == run(graph_of(), graph_of().plain())
    assert len(cache.warnings) == 1
    assert "REGATTA_CACHE_DIR" in cache.warnings[0]


def test_a_folder_that_vanishes_is_done_without(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("in the way")
    assert run(graph_of(), cache.graph(graph_of())) == run(graph_of(), graph_of().plain())
    assert len(cache.warnings) == 1


def test_a_compiler_without_the_direct_entry_is_called_the_usual_way() -> None:
    class Dispatcher:
        overloads: dict[str, object] = {"one": object()}  # noqa: RUF012

        def __call__(self) -> None: ...

    dispatcher = Dispatcher()
    assert live_entry(dispatcher) is dispatcher


def test_the_direct_entry_does_what_the_dispatcher_does(code_cache: CodeCache) -> None:
    graph, X = graph_of(), walk(100)
    function, states = code_cache.graph(graph), []
    assert function.live is not function.call
    for call in (function.call, function.live):
        S, J, SIG = graph.new_state(), np.array([0, 100]), np.zeros(100, np.uint8)
        call(X, np.empty(0), graph.parameters(), S, J, SIG, np.empty((0, 100)))
        states.append((S.tolist(), SIG.tolist()))
    assert states[0] == states[1]


# --- Where it lies, and warming --------------------------------------------------------------


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGATTA_CACHE_DIR", str(tmp_path / "own"))
    assert default_directory() == tmp_path / "own"
    monkeypatch.delenv("REGATTA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_directory() == tmp_path / "regatta"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory() == tmp_path / ".cache" / "regatta"


def test_another_process_compiles_while_plain_python_serves(tmp_path: Path) -> None:
    cache, graph = CodeCache(tmp_path), build(Rules(enter_long=checks(up=m.close > sma(m.close, 9))))
    warming = cache.warm(graph)
    warming.wait(60)
    assert warming.ready()
    assert cache.known(graph)
    assert from_disk(warming.function())
    again = cache.warm(graph)
    assert again.ready()
    assert again.function() is warming.function()


def test_what_the_other_process_did_not_finish_is_compiled_here(tmp_path: Path) -> None:
    warming = CodeCache(tmp_path).warm(graph_of())
    warming.stop()
    assert warming.ready()
    assert run(graph_of(), warming.function()) == run(graph_of(), graph_of().plain())


def test_the_compiler_is_not_imported_before_it_is_needed() -> None:
    script = (
        "import sys; from regatta.engine.code_cache import CodeCache; from regatta.strategies import builtin; "
        "from regatta.graph import Series, build, Market; s = builtin()['ema_rsi']; "
        "g = build(s.rules(Market(), s.Parameters())); Series(g, g.plain(), 60_000); "
        "print({'numba', 'polars'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
