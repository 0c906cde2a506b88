"""Each fix undone in the code: the gate has to see it.  Long, for every fix is trained anew."""

from __future__ import annotations

import functools
import re

import msgspec
import numpy as np
import pytest
from test_gate import ORDINARY, QUICK, SLOW, THRESHOLDS

from diagnose.mel.contract import load
from tnca import losses
from tnca.cli.fixing import _sound
from tnca.config import L1, MultiscaleGram
from tnca.config import Gram as GramTerm
from tnca.fixes import golden, trial
from tnca.fixes.catalogue import fixes
from tnca.fixes.study import study
from tnca.kernels import perceive, reference
from tnca.losses import audio, spectral, structure, texture
from tnca.rule import cell
from tnca.vocoders.griffinlim import GriffinLim

VOICE = GriffinLim(load("bigvgan_base_22khz_80band"))


def undone_as(**instead):
    """Decibels undone in another way than was asked for."""

    def patch(monkeypatch):
        ways = {"tenth": "10 ** (x / 10)", "twentieth": "10 ** (x / 20)", "ln": "x * ln(10) / 20"}
        swap = {ways[a]: ways[b] for a, b in instead.items()}
        monkeypatch.setattr(trial, "undone", lambda x, how, real=trial.undone: real(x, swap.get(how, how)))

    return patch


def level_lost(monkeypatch):
    def undone(values, how, real=trial.undone):
        return values - values.max() if how is None else real(values, how)

    monkeypatch.setattr(trial, "undone", undone)


def range_to_nyquist(monkeypatch):
    def target_of(sound, settings, real=trial.target_of):
        contract = settings.mel
        if contract.name:  # the vocoder's own
            return real(sound, settings)
        wide = msgspec.structs.replace(contract, grid=msgspec.structs.replace(contract.grid, fmax=11025.0))
        return real(sound, msgspec.structs.replace(settings, contract=wide))

    monkeypatch.setattr(trial, "target_of", target_of)


def no_phase(monkeypatch):
    monkeypatch.setattr(trial, "carried", lambda *given, real=trial.carried: np.zeros_like(real(*given)))


def weights(kind_for):
    """Every frequency weighting has the shape kind_for(kind)."""

    def patch(monkeypatch):
        real = spectral.frequency_weights
        monkeypatch.setattr(spectral, "frequency_weights", lambda kind, top, bands: real(kind_for(kind), top, bands))

    return patch


def l1_as_it_was(monkeypatch):
    def init(self, settings, target, device=None, real=losses.Losses.__init__):
        real(self, settings, target, device)
        self.weights = [0.1 if isinstance(term, L1) else term.weight for term in settings.terms]

    monkeypatch.setattr(losses.Losses, "__init__", init)


def masked(monkeypatch):
    monkeypatch.setattr(spectral, "mask", lambda target, _, real=spectral.mask: real(target, -70.0))


def silent(term):
    def patch(monkeypatch):
        monkeypatch.setattr(term, "__call__", lambda self, grown: grown.sum() * 0.0)

    return patch


def one_scale(monkeypatch):
    def make(term, target, real=losses.make):
        if isinstance(term, MultiscaleGram):
            return texture.Gram(GramTerm(mask_db=term.mask_db), target)
        return real(term, target)

    monkeypatch.setattr(losses, "make", make)


def zeros_beyond_the_border(monkeypatch):
    for module in (reference, perceive):
        monkeypatch.setattr(module, "pad", lambda state, *_, real=perceive.pad: real(state, "zero", "zero"))


def cells(**instead):
    """Every cell has these settings, whatever was asked for."""

    def patch(monkeypatch):
        @functools.wraps(cell.CellRule.__init__)
        def init(self, asked, *rest, real=cell.CellRule.__init__):
            real(self, msgspec.structs.replace(asked, **instead), *rest)

        monkeypatch.setattr(cell.CellRule, "__init__", init)

    return patch


UNDO = {
    "db-power": undone_as(tenth="twentieth"),
    "log-magnitude": undone_as(ln="tenth"),
    "level-reference": level_lost,
    "fmax": range_to_nyquist,
    "vocoder-contract": range_to_nyquist,
    "phase": no_phase,
    "frequency-weight": weights(lambda _: None),
    "frequency-weight-exponential": weights(lambda _: "linear"),
    "per-bin-weight": weights(lambda _: None),
    "l1-weight": l1_as_it_was,
    "unmasked-loss": masked,
    "boundary-loss": silent(structure.Boundary),
    "multiscale-perceptual": one_scale,
    "audio-loss": silent(audio.MultiResolutionStft),
    "temporal-consistency": silent(structure.Temporal),
    "circular-padding": zeros_beyond_the_border,
    "grid-margin": cells(margin=0),
    "positional-channels": cells(positions=0),
    "dead-alpha": cells(alpha_bias=1.0, near_life=False),
}


def test_every_single_fix_is_undone_here():
    assert set(UNDO) == {fix.name for fix in fixes()} - {"all-first", "all-best"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW + ORDINARY else pytest.mark.long) for name in UNDO],
)
def test_a_fix_that_is_undone_breaks_its_threshold(name, monkeypatch, tmp_path):
    UNDO[name](monkeypatch)
    found = study(_sound(None, quick=True), fixes((name,)), VOICE, str(tmp_path), QUICK)
    lines = golden.check(found, golden.read(str(THRESHOLDS), [name]))
    assert re.search("improves by|changes the mel|multiplies? the gradient|leaves .* differences", lines[0])
    print(lines)
