"""The gate over time: each check's figures in a file of its own, the steps in them, and what creeps."""

from diagnose.history.findings import Finding, findings
from diagnose.history.kept import Run, keep, load

__all__ = ["Finding", "Run", "findings", "keep", "load"]
