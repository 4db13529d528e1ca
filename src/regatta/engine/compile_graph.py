"""Compile one graph into the code cache: `python -m regatta.engine.compile_graph < task.json`.

Started by `code_cache.Warming`, so that compiling never takes the engine's loop or memory.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from regatta.engine.code_cache import CodeCache, found
from regatta.graph import Graph


def main() -> None:
    """Read the task from standard input and compile it. Fails loudly: the starter looks at nothing."""
    task: dict[str, Any] = json.load(sys.stdin)
    operators = {name: found(tuple(address)) for name, address in task["steps"].items()}
    # All that compiling needs of a graph: its rules, with their numbers, stay with the starter.
    graph = SimpleNamespace(source=task["source"], key=task["key"], operators=operators)
    CodeCache(Path(task["directory"])).graph(cast(Graph, graph))


if __name__ == "__main__":
    main()
