"""A user's own strategy: loaded like a built-in one, refused in words that name file and line."""

from pathlib import Path

import pytest

from regatta.domain.errors import BadInput
from regatta.engine.strategy_files import load, load_folder
from regatta.graph import Market, build
from regatta.strategies import builtin, ema_rsi

GOOD = """
from regatta.graph import Market, Rules, checks, sma
from regatta.strategies import Strategy, StrategyParameters, parameter

class Parameters(StrategyParameters):
    length: int = parameter(20, "Length", "Of the average.", "candles", ge=2, le=100)

def rules(m, p):
    return Rules(enter_long=checks(above=m.close > sma(m.close, p.length)))

STRATEGY = Strategy("mine", "Mine", "Above an average.", Parameters, rules, {"stop_pct": 1.0})
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load(path)
    return str(caught.value)


def test_a_file_gives_a_strategy_like_a_built_in_one(tmp_path: Path) -> None:
    strategy = load(written(tmp_path, GOOD))
    assert (strategy.name, strategy.defaults) == ("mine", {"stop_pct": 1.0})
    assert build(strategy.rules(Market(), strategy.Parameters.model_validate({"length": 7}))).warmup == 7
    with pytest.raises(ValueError, match="less than or equal to 100"):
        strategy.Parameters.model_validate({"length": 101})


def test_a_copy_of_the_example_is_a_strategy(tmp_path: Path) -> None:
    text = Path(ema_rsi.__file__).read_text(encoding="utf-8")
    strategy = load(written(tmp_path, text.replace('name="ema_rsi"', 'name="mine"')))
    own, built_in = (build(s.rules(Market(), s.Parameters())) for s in (strategy, builtin()["ema_rsi"]))
    assert own.key == built_in.key


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.py") == f"{tmp_path}/none.py: there is no such file"


def test_what_is_no_python_file_is_named(tmp_path: Path) -> None:
    assert "not a Python file" in refusal(written(tmp_path, GOOD, "mine.txt"))


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1\n\ndef rules(m, p:\n    pass\n")
    assert refusal(path).startswith(f"{path}, line 3: ")


def test_an_error_while_it_runs_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1\nimport regatta.nothing_here\n")
    assert refusal(path) == f"{path}, line 2: ModuleNotFoundError: No module named 'regatta.nothing_here'"


def test_an_error_in_the_rules_is_named_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("m.close > sma(m.close, p.length)", "m.close > sma(m.close, p.length - 20)")
    path = written(tmp_path, text)
    assert refusal(path) == f"{path}, line 9: ValueError: sma: n is 0; allowed: a whole number from 1 to 100000"


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    assert "STRATEGY is missing" in refusal(written(tmp_path, "x = 1\n"))
    assert "STRATEGY is str; needed: regatta.strategies.Strategy" in refusal(written(tmp_path, "STRATEGY = 'mine'\n"))
    assert "STRATEGY.title is ''" in refusal(written(tmp_path, GOOD.replace('"Mine"', '""')))
    assert "STRATEGY.name is 'my own'" in refusal(written(tmp_path, GOOD.replace('"mine"', '"my own"')))
    assert "a class of StrategyParameters" in refusal(
        written(tmp_path, GOOD.replace("Parameters, rules,", "dict, rules,"))
    )
    assert "a function rules(market, parameters)" in refusal(
        written(tmp_path, GOOD.replace("Parameters, rules,", "Parameters, None,"))
    )


def test_a_folder_gives_its_strategies_by_name(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, GOOD.replace('"mine"', '"other"'), "other.py")
    written(tmp_path, "broken(", "_draft.py")
    written(tmp_path, "no Python", "notes.txt")
    assert list(load_folder(tmp_path)) == ["mine", "other"]
    assert load_folder(tmp_path / "none") == {}


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "a.py")
    written(tmp_path, GOOD, "b.py")
    with pytest.raises(BadInput, match=r"b\.py: the name 'mine' is taken by .*a\.py"):
        load_folder(tmp_path)
    written(tmp_path, GOOD.replace('"mine"', '"ema_rsi"'), "a.py")
    with pytest.raises(BadInput, match=r"a\.py: the name 'ema_rsi' is a built-in strategy's"):
        load_folder(tmp_path)
