"""The gate: record what a pair measures, check it later, accept a change with a reason, earn a tolerance.

The goldens of a suite (diagnose/suite.py) are one TOML file a case, in `golden/` beside it.  A check never
writes one, so no update turns its own run green; what is missing on either side (a baseline, a metric, a case) fails.
"""

from diagnose.golden.against import check_against
from diagnose.golden.calibrate import calibrate
from diagnose.golden.gate import accept, check, record

__all__ = ["accept", "calibrate", "check", "check_against", "record"]
