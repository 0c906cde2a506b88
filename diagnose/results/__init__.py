"""Frozen results: what a comparison, a gate, a batch and a sensitivity probe found.  Data that knows nobody."""

__all__ = ["batch", "cause", "history", "limit", "region", "report", "report_json", "sensitivity", "suite", "verdict"]
