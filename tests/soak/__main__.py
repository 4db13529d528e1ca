"""`python -m tests.soak kill [--cycles 200] [--seed 7]`: run one soak and print its figures as JSON."""

import argparse

import msgspec

from tests.soak import kill


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="run.py soak", description="Long runs that try to break the engine.")
    commands = parser.add_subparsers(dest="what", required=True)
    killing = commands.add_parser("kill", help="kill -9 a running virtual engine again and again")
    killing.add_argument("--cycles", type=int, default=200)
    killing.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    print(msgspec.json.encode(kill.run(chosen.cycles, chosen.seed)).decode())


if __name__ == "__main__":
    main()
