"""Measured once and shared: what metrics, regions, causes and pictures read of a sound or of a pair of sounds.

Signal and Pair keep what is costly; each other module is one analysis, a function of samples or of spectra.
"""

from diagnose.analysis.pair import Pair
from diagnose.analysis.signal import Signal

__all__ = ["Pair", "Signal", "bands", "clicks", "comb", "distances", "mel_grid", "moments", "pitch", "spectra"]
