"""The error for a kernel that cannot run on this machine."""


class KernelMissing(RuntimeError):
    """One line: what is missing, and what would bring it."""
