"""Repairing: the generated sound with everything undone that can be undone, and a record of what cannot.

`repaired` is all that others need: distance.py measures, layout.py sets the time right, steps.py undoes the chain that
explained the sound, words.py says what cannot be undone; undoing.py puts it together.
"""

from diagnose.repairs.undoing import repaired

__all__ = ["repaired"]
