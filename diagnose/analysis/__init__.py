"""Quantities of a sound or a pair, computed once and shared by metrics, regions, causes and pictures.

Signal and Pair keep what is costly; each other module is one analysis, a function of samples or of spectra.
"""

from diagnose.analysis.pair import Pair, pair_of
from diagnose.analysis.signal import Signal

__all__ = [
    "Pair",
    "Signal",
    "bands",
    "cells",
    "channels",
    "clicks",
    "comb",
    "distances",
    "fill",
    "folding",
    "masking",
    "mel_grid",
    "moments",
    "pair_of",
    "pitch",
    "places",
    "spectra",
    "stuck",
    "swings",
]
