"""compare(): from two sounds to a Report.  The steps are in the order of the data flow in DESIGN."""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soundfile
import soxr

from diagnose import audio as audio_io
from diagnose.analysis import Pair, Signal, pair_of
from diagnose.channelwise import Judged, Named, channel_facts, find_causes, find_places, worst_rows
from diagnose.errors import InputError, NotComparable
from diagnose.metrics import METRICS, OF_A_PAIR, OF_A_SIGNAL, Measurement, measure_pair, measure_signal, nothing
from diagnose.profile import default_profile, load_profile, nearest, with_always
from diagnose.results.repair import Repair
from diagnose.results.report import LimitLevels, MetricRow, Report, SoundFacts
from diagnose.timeline import alignment_facts, observations, timeline_facts
from diagnose.verdicts import Figures, Judgement, change_of, judge
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from diagnose.audio import Audio, Source
    from diagnose.metrics import Metric
    from diagnose.results.cause import Cause
    from diagnose.results.limit import Profile
    from diagnose.results.verdict import Verdict

    Before = Callable[[str], None]
    Progress = Callable[[int, int, str], None]

KEPT_MEMORY = 1 << 24  # bytes; never touched
SHORTEST_S = 0.020  # less than one period of the lowest tone, and every spectral figure is about padding


def compare(
    reference: Source,
    generated: Source,
    *,
    rate: int | None = None,
    profile: str | os.PathLike[str] | Profile | None = None,
    progress: Progress | None = None,
    repair: bool = False,
) -> Report:
    """Measure a pair of sounds and judge it.

    reference, generated: paths, Audio, or float arrays or tensors (n,) or (channels, n), full scale 1, with their
    rate in Hz.
    profile: limits, or the TOML file that holds them; the built-in ones by default.
    progress: is called with (steps done, steps in all, what is done now), for a bar.
    repair: also undo what can be undone: report.repair says what was, and report.repaired is the sound that is left.
    Samples of the generated sound that are NaN or infinite are a FAIL, and are filled before all else is measured.
    Raises InputError for what cannot be read and for a reference that is not finite, NotComparable for a silent
    reference or under 20 ms of sound.
    """
    _keep_freed_memory()
    step = _counter(progress)
    step("reading")
    sounds = _load_both(reference, generated, rate)
    limits = _limits(profile)
    judged = judge_pair((Signal(sounds[0]), Signal(sounds[1])), limits, step)
    step("looking for causes")
    pair, laid = judged.pair, judged.best_laid
    facts, named = [_sound_facts(file) for file in pair.files], find_causes(judged)
    report = Report(
        tool_version=VERSION,
        reference=facts[0],
        generated=facts[1],
        alignment=alignment_facts(laid.timeline, pair.rate, laid.overlap[0].size),
        timeline=timeline_facts(laid.timeline, pair.rate),
        observations=() if laid.unrelated else observations(laid.timeline, pair.rate),
        channels=channel_facts(judged),
        metrics=tuple(judged.rows),
        verdict=judged.verdict,
        notes=tuple(_notes(judged, facts)),
        regions=find_places(judged),
        causes=named.causes,
        proof=named.proof,
        libraries=_libraries(),
        pair=pair,
        by_channel=judged.by_channel,
    )
    if repair:
        report = _with_repair(report, judged, named)
    pair.forget_stfts()
    return report


def _with_repair(report: Report, judged: Judged, named: Named) -> Report:
    """The report with what can be undone; of a pair that passes, nothing is."""
    if judged.verdict not in ("WARN", "FAIL"):
        return msgspec.structs.replace(report, repair=Repair())
    from diagnose.repairs import repaired

    found, sound = repaired(judged.pair, named)
    return msgspec.structs.replace(report, repair=found, repaired=sound)


def _counter(progress: Progress | None) -> Callable[[str], None]:
    """step(what) -> progress(steps before it, all steps, what)."""
    if progress is None:
        return nothing
    total, done = 3 + 2 * len(OF_A_SIGNAL) + len(OF_A_PAIR), itertools.count()
    return lambda what: progress(next(done), total, what)


def _keep_freed_memory() -> None:
    """Memory up to 32 MiB that is freed stays with the process: glibc keeps twice the largest block freed so far.

    A comparison frees and takes some MB a hundred times, and new pages cost more than what is written to them.
    """
    np.empty(KEPT_MEMORY, np.uint8)


def rejudged(report: Report, verdicts: Mapping[str, Verdict]) -> Report:
    """The same figures with other verdicts on some metrics; regions and causes are found anew for those.

    report.pair has to be there.
    """
    assert report.pair is not None
    rows = [_with(row, verdicts) for row in report.metrics]
    chosen = {row.name: row.channel for row in rows}
    by_channel = {
        channel: [_with(row, verdicts) if chosen[row.name] in (channel, None) else row for row in of]
        for channel, of in report.by_channel.items()
    }
    judged = Judged(report.pair, rows, by_channel)
    regions, named = find_places(judged), find_causes(judged)
    report.pair.forget_stfts()
    return msgspec.structs.replace(
        report,
        metrics=tuple(rows),
        by_channel=by_channel,
        channels=channel_facts(judged),
        verdict=judged.verdict,
        regions=regions,
        causes=named.causes,
        proof=named.proof,
    )


def _with(row: MetricRow, verdicts: Mapping[str, Verdict]) -> MetricRow:
    return msgspec.structs.replace(row, verdict=verdicts[row.name]) if row.name in verdicts else row


def causes_of(report: Report) -> tuple[Cause, ...]:
    """The causes of a report whatever its verdict: what is wrong with a pair though the limits let it pass."""
    assert report.pair is not None
    found = find_causes(Judged(report.pair, report.metrics, report.by_channel), whatever=True)
    report.pair.forget_stfts()
    return found.causes


def judge_pair(files: tuple[Signal, Signal], limits: Profile, before: Before = nothing) -> Judged:
    """The pair at its common rate and every metric of it, judged; without regions and causes.

    files: reference and generated sound.  before: is called with the name of each step.
    Raises NotComparable for a silent reference or under 20 ms of sound.
    """
    for sound in (file.audio for file in files):
        if sound.duration_s < SHORTEST_S:
            raise NotComparable(
                f"{sound.name}: {sound.length} samples ({1000 * sound.duration_s:.3g} ms); "
                f"a comparison needs at least {1000 * SHORTEST_S:g} ms"
            )
    if files[0].moments.silent and not files[0].cancels:
        raise NotComparable(f"{files[0].audio.name}: cannot be used as the reference: {_why_silent(files[0].audio)}")
    pair = pair_of(files)
    before("laying both on each other")
    limits = limits if files[1].audio.broken is None else with_always(limits)
    if not pair.apart:
        _ = pair.timeline  # first: where it needs a spectrogram, that is the finest, and others are taken from it
        return Judged(pair, list(_rows(pair, limits, tuple(METRICS), before).values()))
    whole = _rows(pair, limits, [name for name, metric in METRICS.items() if metric.at == "whole"], before)
    others = [name for name in METRICS if name not in whole]
    channels = {channel: _rows(one, limits, others, nothing) for channel, one in pair.apart.items()}
    every = {channel: list((of | whole).values()) for channel, of in channels.items()}
    return Judged(pair, worst_rows(whole, channels), every)


def _rows(pair: Pair, limits: Profile, names: Sequence[str], before: Before) -> dict[str, MetricRow]:
    """The named metrics of a pair, judged, in their order."""
    common, files = (pair.reference, pair.generated), _as_many_channels(pair.files)
    of_one, of_both = ([name for name in names if METRICS[name].of == kind] for kind in ("signal", "pair"))
    measured = [measure_signal(ours, file, of_one, before) for ours, file in zip(common, files, strict=True)]
    return _judged(names, measured, measure_pair(pair, of_both, before), limits)


def reattach(report: Report, folder: str = "") -> Report:
    """The report with its sounds, where both files are found and are still those that were measured.

    Looked for at the recorded path, and in folder, where the report was kept.  Nothing is measured or judged again.
    Without them, .apart says in a line why.
    """
    found = [_found_again(report.reference, folder), _found_again(report.generated, folder, mend=True)]
    files = [Signal(sound) for sound in found if not isinstance(sound, str)]
    if len(files) < 2:
        return msgspec.structs.replace(report, apart="; ".join(why for why in found if isinstance(why, str)))
    return msgspec.structs.replace(report, pair=pair_of((files[0], files[1])))


def _found_again(facts: SoundFacts, folder: str, mend: bool = False) -> Audio | str:
    """The sound of a report, or why there is none."""
    if facts.sha256 is None:
        return f"{facts.path}: the report has no hash of this sound: it was an array, or the report is old"
    said = "no longer exists"
    places = [facts.path, os.path.join(folder, facts.path), os.path.join(folder, os.path.basename(facts.path))]
    for place in filter(os.path.isfile, dict.fromkeys(places)):
        try:
            sound = audio_io.read(place, mend=mend)
        except InputError:
            said = "can no longer be read"
            continue
        if sound.sha256 == facts.sha256:
            return sound
        said = "is not the file that was measured (its hash differs)"
    return f"{facts.path}: {said}"


def _libraries() -> dict[str, str]:
    """The versions that a number can depend on, the tool's own aside."""
    return {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "soundfile": soundfile.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
        "soxr": soxr.__version__,
    }


def measure(
    sound: Source, *, rate: int | None = None, metrics: Iterable[str] | None = None
) -> Mapping[str, Measurement]:
    """What is measured on one sound, by name: every metric that a sound has, or those that are named.

    sound: a path, Audio, or a float array or tensor (n,) or (channels, n), full scale 1, with its rate in Hz.
    metrics: names, in the order of the answer; nothing is computed that they do not need.  By default all, in the
    order of a report.  A value is in the metric's unit; it is None, with the reason, where it cannot be had.
    Raises InputError for what cannot be read, for a name that is no metric, and for a metric of two sounds.
    """
    names = None if metrics is None else _of_one_sound(metrics)
    return measure_signal(Signal(audio_io.load(sound, rate)), names=names)


def _of_one_sound(names: Iterable[str]) -> list[str]:
    """The names, checked."""
    if isinstance(names, str):
        raise InputError(f"metrics={names!r}: give a list of names, like [{names!r}]")
    wanted = list(names)
    for name in wanted:
        if not isinstance(name, str) or name not in METRICS:
            raise InputError(f"metrics: {name!r} is not a metric{nearest(str(name), OF_A_SIGNAL)}")
        if METRICS[name].of == "pair":
            raise InputError(f"metrics: {name} needs a reference and a generated sound; diagnose.compare() measures it")
    return wanted


def _why_silent(sound: Audio) -> str:
    return "it contains only DC" if np.any(sound.samples) else "it is silent"


def _load_both(reference: Source, generated: Source, rate: int | None) -> list[Audio]:
    paths = [isinstance(source, str | os.PathLike | audio_io.Audio) for source in (reference, generated)]
    if rate is not None and all(paths):
        raise InputError("rate= is for arrays only; both sounds have a rate")
    return [audio_io.load(reference, rate, "reference"), audio_io.load(generated, rate, "generated", mend=True)]


def _limits(profile: str | os.PathLike[str] | Profile | None) -> Profile:
    if profile is None:
        return default_profile()
    return load_profile(profile) if isinstance(profile, str | os.PathLike) else profile


def _sound_facts(file: Signal) -> SoundFacts:
    sound = file.audio
    now = file.moments
    native: dict[str, float | None] = {"rms": now.rms, "dc": now.mean, "peak_min": now.lowest, "peak_max": now.highest}
    native["spectral_centroid_hz"] = file.native.centroid_hz
    return SoundFacts(sound.name, sound.rate, sound.channels, sound.duration_s, native, sound.sha256)


def _as_many_channels(files: tuple[Signal, Signal]) -> tuple[Signal, Signal]:
    """Both files; of a mono and a stereo one, the mono one in both channels, as loudspeakers play it."""
    counts = [file.audio.channels for file in files]
    if sorted(counts) != [1, 2]:
        return files
    first, second = (file if file.audio.channels == 2 else Signal(_in_both(file.audio)) for file in files)
    return first, second


def _in_both(sound: Audio) -> Audio:
    return audio_io.Audio(np.broadcast_to(sound.samples, (2, sound.length)), sound.rate, sound.name)


def _judged(
    names: Sequence[str], measured: list[dict[str, Measurement]], of_pair: dict[str, Measurement], limits: Profile
) -> dict[str, MetricRow]:
    rows = {}
    for name in names:
        metric = METRICS[name]
        if metric.of == "pair":
            answer = of_pair[name]
            figures = Figures(None, None, answer.value, answer.reason)
        else:
            answer = measured[1][name]
            figures = change_of(metric, measured[0][name], answer)
        rows[name] = _row(metric, figures, judge(metric, figures, limits.get(name)), answer)
    return rows


def _row(metric: Metric, figures: Figures, judged: Judgement, answer: Measurement) -> MetricRow:
    return MetricRow(
        name=metric.name,
        unit=metric.unit,
        reference=figures.reference,
        generated=figures.generated,
        change=figures.change,
        verdict=judged.verdict,
        severity=judged.severity,
        limit=LimitLevels(judged.warn, judged.fail),
        version=metric.version,
        reason=figures.reason,
        note=answer.note,
        detail=answer.detail,
    )


def _measured_on(judged: Judged) -> str:
    if judged.by_channel:
        channels = " and ".join(map(str, judged.by_channel))
        return f"on channel {channels}, for the channels were not treated alike; of each metric the worst is shown"
    if any(file.cancels for file in judged.pair.files):
        return "on the reference's loudest channel, for the mean of the channels cancels"
    return "on the mean of the channels"


def _notes(judged: Judged, facts: list[SoundFacts]) -> list[str]:
    """What was done to the signals before they were compared, in words."""
    pair = judged.pair
    as_is = "peaks, clipping, loudness and the comb on the original files"
    notes = [f"measured at {pair.rate} Hz {_measured_on(judged)}; {as_is}"]
    shares = [
        now.mean**2 / now.mean_square if now.mean_square else 0.0
        for now in (pair.reference.moments, pair.generated.moments)
    ]
    notes.append(
        "DC was measured, then removed before every spectral metric "
        f"({100 * shares[0]:.2g} % of the reference's power, {100 * shares[1]:.2g} % of the generated's)"
    )
    if facts[0].rate_hz != facts[1].rate_hz:
        notes.append(f"{facts[0].rate_hz} Hz and {facts[1].rate_hz} Hz: the higher rate was resampled to the lower")
    if (broken := pair.files[1].audio.broken) is not None:
        notes.append(
            f"{broken.count} samples of the generated sound are NaN or infinite; they were filled before all else was "
            "measured: up to 5 ms by a line between their neighbours, more by silence"
        )
    counts = [fact.channels for fact in facts]
    if min(counts) > 1 and counts[0] != counts[1]:
        notes.append(f"{counts[0]} channels cannot be compared with {counts[1]} one by one: the means of all were")
    if caveat := judged.best_laid.caveat:
        notes.append(caveat)
    return notes
