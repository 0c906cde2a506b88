"""Frozen results of a comparison, a gate, a batch and a sensitivity probe.  Data without behaviour."""

__all__ = [
    "batch",
    "cause",
    "history",
    "limit",
    "proof",
    "region",
    "repair",
    "report",
    "report_json",
    "sensitivity",
    "suite",
    "timeline",
    "verdict",
]
