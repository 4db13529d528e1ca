"""Run benchmarks and print their results, one line each."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module

WORKLOADS: Mapping[str, str] = {
    "W1": "bench.w1",
    "W4": "bench.w4",
    "ENGINE": "bench.engine",
    "DECISION": "bench.decision",
}
"""One file a workload; each has `run() -> dict`."""


def main(arguments: list[str]) -> int:
    """Run the workloads that were named, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="W", help=f"what to run: {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON document a line")
    chosen = parser.parse_args(arguments)
    names = [name.upper() for name in chosen.workloads] or list(WORKLOADS)
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        parser.error(f"there is no workload {unknown[0]}; allowed: {', '.join(WORKLOADS)}")
    for name in names:
        run: Callable[[], dict[str, object]] = import_module(WORKLOADS[name]).run
        result = run()
        if chosen.json:
            print(json.dumps(result), flush=True)
        else:
            print(f"{name}: " + ", ".join(f"{k} {_text(v)}" for k, v in result.items() if k != "workload"), flush=True)
    return 0


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
