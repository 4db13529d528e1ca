"""The command line: `regatta ...`. One file a command group; `main` is where it starts."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    0: done; 1: unforeseen (a traceback is in the log file); 2: the input is wrong; 3: the
    machine does not allow it; 130: interrupted.
    """
    from regatta.cli.app import run_command

    sys.exit(run_command(list(sys.argv[1:] if arguments is None else arguments)))
