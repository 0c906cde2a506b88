"""Every known fix, applied and measured: catalogue -> trials -> verdicts -> page."""
