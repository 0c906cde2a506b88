"""Mel arrays: the contracts, which one an array is in, whether it is the one asked for, and conversion.

contract.py and known.py are what is known; inference.py asks which convention an array is in, by the values alone
(values.py) or with the sound it was made from (search.py); check.py holds the answer against a contract.
"""

__all__ = ["array_file", "candidate", "check", "contract", "conversion", "differences", "inference", "known", "values"]
