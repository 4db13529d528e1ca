"""What can go wrong, sorted by what the caller may do next.

RegattaError
├── BadInput            what the user gave is wrong: says what, where, what is allowed (exit 2)
├── EnvironmentFault    the machine refuses: disk, port, permission (exit 3)
└── VenueError
    ├── TryAgain        nothing happened; the same request is safe to repeat
    ├── VenueRefused    the venue said no; repeating it will not help
    └── OutcomeUnknown  the request may have worked; ask before sending again

A refusal by a risk rule is a value (`Refused`), not an exception.
"""


class RegattaError(Exception):
    """Root of all errors that are shown to the user as one message."""

    exit_code = 1


class BadInput(RegattaError):
    """The user's input is wrong. The message names what, where, and what is allowed."""

    exit_code = 2


class EnvironmentFault(RegattaError):
    """The machine does not let us: full disk, port in use, missing permission."""

    exit_code = 3


class VenueError(RegattaError):
    """A request to a venue did not simply work."""


class TryAgain(VenueError):
    """Nothing happened at the venue; the same request is safe to repeat."""


class VenueRefused(VenueError):
    """The venue proved that it refused; repeating will not help."""


class OutcomeUnknown(VenueError):
    """The request may have worked: look the order up, never send it again."""
