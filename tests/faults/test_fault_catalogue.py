"""The catalogue: every id has an object, whose links lead somewhere and whose texts can be read."""

import ast
import re
from pathlib import Path

import pytest

from diagnose.causes import HYPOTHESES
from diagnose.explain import LOG_MEL, WAVEFORM
from diagnose.explain.proof import ALONE, OF_MANY_KINDS, OF_TIME, PATTERNS
from diagnose.faults import CATALOGUE, INJECTORS
from diagnose.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = {  # DESIGN, "Cause ids"
    "level": "gain silent dc-offset clipping polarity quantisation modulation gated",
    "data": "integer-overflow bytes-misread companding non-finite foreign-data",
    "channels": "mono-stereo channel-swapped channels-interleaved",
    "spectrum": (
        "high-frequency-loss low-frequency-loss tilt band-gap spectral-holes aliasing phase-incoherent reverberation"
    ),
    "added": ("noise interference hum tonal frame-rate-hum frame-rate-tremolo clicks edge-artifact tail-added"),
    "time": (
        "delay truncated padded dropout segment-lost segment-inserted segment-repeated segment-replaced chunk-seams "
        "sample-rate time-stretch wow time-structure-lost"
    ),
    "pitch": "pitch octave-error pitch-flattened voicing-lost formant-shift",
    "mel": "vocoder-input-scale power-magnitude level-reference-lost mel-range axes-exchanged over-smoothed",
    "content": "different-content unknown",
}
FAULTS = tuple(CATALOGUE.values())


NAMING = {"cause", "Cause", "Fitted", "Reading", "_edits"}  # what is called with an id, first or second


def ids_in(package):
    """Every literal that the sources of a package name a cause by."""
    for path in (ROOT / "diagnose" / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in NAMING:
                said = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
                yield from (text for text in said if re.fullmatch(r"[a-z]+(-[a-z]+)*", str(text)))


def test_every_id_of_the_design_has_its_object_in_its_family():
    found = {family: {fault.id for fault in FAULTS if fault.family == family} for family in FAMILIES}
    assert found == {family: set(ids.split()) for family, ids in FAMILIES.items()}
    assert all(key == fault.id for key, fault in CATALOGUE.items())


def test_the_families_above_are_those_of_the_design():
    design = ROOT.parent / "shared" / "DESIGN.md"
    if not design.is_file():
        pytest.skip("DESIGN.md is not here")
    section = design.read_text(encoding="utf-8").partition("### Cause ids")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", section)) - {"channel"} == set(CATALOGUE)


def test_what_is_recognised_fitted_or_documented_is_in_the_catalogue():
    named = {each.__name__.replace("_", "-") for each in HYPOTHESES} - {"misread"}
    assert named <= set(CATALOGUE)
    ids = {text for package in ("causes", "explain", "operations") for text in ids_in(package)}
    assert {"gain", "dc-offset", "integer-overflow", "companding", "segment-lost", "channel-swapped"} <= ids
    assert ids <= set(CATALOGUE)
    assert {*ALONE, *OF_TIME, *PATTERNS, *(one for of in PATTERNS.values() for one in of)} <= set(CATALOGUE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| | cause ids |\n")[2].partition("\n\n")[0]
    shown = set(re.findall(r"`([a-z-]+)`", table))
    assert len(shown) > 30
    assert shown <= set(CATALOGUE)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_what_it_leads_to_is_there(fault):
    assert set(fault.confused_with) <= set(CATALOGUE) - {fault.id}
    assert fault.confused_with
    assert set(fault.rivals) <= set(CATALOGUE) - {fault.id}
    assert all(fault.id in CATALOGUE[rival].rivals for rival in fault.rivals)
    assert set(fault.fits) <= set(WAVEFORM.operations)
    assert (fault.metric in METRICS) if fault.metric else fault.no_metric
    assert not fault.injectors or fault.metric
    for injector in fault.injectors:
        assert injector.cause == fault.id
        assert not injector.metric or injector.metric in METRICS


def test_an_injector_has_one_fault_and_every_operation_too():
    names = [injector.name for fault in FAULTS for injector in fault.injectors]
    assert sorted(names) == sorted(INJECTORS)
    assert {operation for fault in FAULTS for operation in fault.fits} == set(WAVEFORM.operations)
    assert {operation for fault in FAULTS for operation in fault.fits_log_mel} == set(LOG_MEL.operations)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_its_texts_can_be_read(fault):
    for text in (fault.title, fault.what, fault.told_by, fault.fix, *fault.confused_with.values()):
        assert text == text.strip()
        assert text.isascii()
        assert "  " not in text
        assert len(text.split()) >= 3
    assert len(fault.title) <= 70
    assert 2 <= len(re.findall(r"[.](?= [A-Z]|$)", fault.what)) <= 3
    assert fault.what.endswith(".")
    assert fault.told_by.endswith(".")
    for text in (fault.title, fault.fix, *fault.confused_with.values()):  # parts of a line of a report
        assert not text.endswith(".")


def test_no_two_say_the_same():
    for texts in ([getattr(fault, field) for fault in FAULTS] for field in ("title", "what", "told_by")):
        assert len(set(texts)) == len(FAULTS)


def test_what_is_fitted_has_words_and_nothing_else_does():
    patterns = set(PATTERNS) - set(OF_MANY_KINDS)  # the words of these are their recogniser's
    assert {fault.id for fault in FAULTS if fault.told} == {fault.id for fault in FAULTS if fault.fits} - patterns
    with pytest.raises(LookupError, match="unknown: no operation fits"):
        CATALOGUE["unknown"].in_words({})


FIGURES_OF_LEVELS = {  # what the steps in log-mel cells come with, and what of it is said
    "gain": [({"gain": -6.02}, "6.0 dB too quiet", "multiply the output by 2;")],
    "level-reference-lost": [({"gain": -6.02}, "-6.0 dB", "")],
    "clipping": [({"over": 8.7}, "held", "")],
    "modulation": [({"depth": 3.21}, "3.2 dB", "")],
    "dropout": [({"holes": 2.0, "silence": 0.13}, "2 holes, 130 ms", "")],
    "noise": [({"signal_to_noise": 23.4}, "23 dB", "")],
    "over-smoothed": [
        ({"time": 110.0}, "110 ms", ""),
        ({"bands": 9.0}, "9 of 80 bands", ""),
        ({"moves": 0.5}, "50 % as far", ""),
        ({"bands": 16.0, "left": 0.2}, "20 % of it is left", ""),
    ],
    "power-magnitude": [
        ({"slope": 0.51, "offset": 1.0}, "halved (slope 0.51)", ""),
        ({"slope": 1.97, "offset": 1.0}, "doubled (slope 1.97)", ""),
    ],
    "vocoder-input-scale": [
        ({"slope": 0.43, "offset": 1.0}, "became 0.43: log10 was given", "divide by 0.4343;"),
        ({"slope": 2.31, "offset": 1.0}, "cannot be told apart where it clips", "divide by 2.303;"),
        ({"slope": 1.2, "offset": 1.0}, "became 1.20: values were normalised", ""),
        ({"power": 1.0, "level": 1.0}, "magnitudes where it reads their logarithms", ""),
        ({"power": 2.0, "level": 1.0}, "powers where it reads their logarithms", ""),
    ],
    **{
        cause: [({"least": -23.4, "most": 1.2}, "between -23 and +1 dB", "")]
        for cause in ("tilt", "band-gap", "high-frequency-loss", "low-frequency-loss")
    },
}


def test_what_is_fitted_in_log_mel_cells_names_its_figures():
    fitted = {fault.id for fault in FAULTS if fault.fits_log_mel}
    assert fitted == {fault.id for fault in FAULTS if fault.told_log_mel} == set(FIGURES_OF_LEVELS)
    for cause, cases in FIGURES_OF_LEVELS.items():
        for figures, said, begins in cases:
            summary, fix = CATALOGUE[cause].in_words_of_levels(figures)
            assert said in summary, cause
            assert fix == f"{begins} {CATALOGUE[cause].fix}".strip(), cause
    with pytest.raises(LookupError, match="unknown: no operation fits"):
        CATALOGUE["unknown"].in_words_of_levels({})
