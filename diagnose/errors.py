"""The ways a run can end without a verdict, each with its exit code (README, "Exit codes")."""


class DiagnoseError(Exception):
    """A mistake that is not the program's own: its text is one line that says what, where, and what to do."""

    exit_code = 2


class InputError(DiagnoseError):
    """Wrong usage, an unreadable file, or a value out of range."""

    exit_code = 2


class NotComparable(DiagnoseError):
    """Both inputs were read, and no statement about the pair can be made."""

    exit_code = 3
