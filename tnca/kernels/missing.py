"""What is said where a kernel cannot run on this machine."""


class KernelMissing(RuntimeError):
    """One line: what is missing, and what would bring it."""
