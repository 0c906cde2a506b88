"""One call of the fixture: measure the pair and compare it with its golden, or update the golden."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose import audio, git
from diagnose.comparison import compare
from diagnose.errors import DiagnoseError, InputError
from diagnose.files import locked
from diagnose.gate.checks import changed_metrics, check_limits, check_metrics, new_golden
from diagnose.gate.commands import case_of, merge_accepted, reference_sha256
from diagnose.gate.golden import load_golden, save_golden
from diagnose.profile import default_profile, load_profile, parse_limits
from diagnose.results.suite import Case
from diagnose.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.audio import Source
    from diagnose.gate.golden import Accepted
    from diagnose.pytest_plugin.fixture import Asked
    from diagnose.results.limit import Profile
    from diagnose.results.report import Report

REASON = "pytest --audio-golden-update"


class GoldenCheck(msgspec.Struct, frozen=True):
    """What a call came to.  wrote: what went into the golden, a line each; section: of the page, where it failed."""

    case: Case
    report: Report | None = None
    wrote: tuple[str, ...] = ()
    section: str | None = None
    missing: bool = False

    @property
    def can_update(self) -> bool:
        """An update takes over what the golden and the sound do not agree in; a limit is the test's own."""
        return any(check.verdict != "PASS" and not check.metric.endswith(" (limit)") for check in self.case.checks)

    @property
    def lines(self) -> list[str]:
        """The case as `diagnose check` shows it."""
        from diagnose.render.terminal import case_text

        return case_text(self.case).splitlines()

    @property
    def notes(self) -> list[str]:
        """What passed, and is worth a word: better than recorded, or over a limit that only warns."""
        if self.case.verdict in ("FAIL", "ERROR"):
            return []
        told = [check for check in self.case.checks if check.better or check.verdict == "WARN"]
        return [f"{check.metric}: {check.text}" for check in told]

    @property
    def summary(self) -> str:
        """For JUnit's properties; the names in it are plain."""
        return f"{self.case.verdict} {ascii(self.case.id)[1:-1]}"


def check_golden(asked: Asked) -> GoldenCheck:
    """Measure the pair and hold it against its golden; with asked.update, write what does not hold into it first.

    A mistake in a file or an argument is a case of verdict ERROR, as in `diagnose check`.
    """
    try:
        return _held(asked)
    except DiagnoseError as error:
        return GoldenCheck(Case(asked.case, "ERROR", error=str(error), golden=asked.shown))


def _held(asked: Asked) -> GoldenCheck:
    path = Path(asked.golden)
    if not asked.update and load_golden(path) is None:
        said = f"no golden at {asked.shown}; only --audio-golden-update writes it"
        return GoldenCheck(Case(asked.case, "FAIL", error=said, golden=asked.shown), missing=True)
    limits = parse_limits(asked.limits, "marker audio_golden: limits")
    profile = _profile(asked)
    sounds = [_sound(asked.reference, asked.folder), _sound(asked.generated, "", mend=True)]
    report = compare(*sounds, rate=asked.rate, profile=profile)
    digest = _digest(asked, report)
    wrote = _update(path, asked.case, report, profile, digest) if asked.update else ()
    golden = load_golden(path)
    if golden is None:
        raise InputError(f"{asked.shown}: was deleted during the check; run the test again")
    sections: list[str] = []

    def seen(case: Case, shown: Report) -> None:
        if asked.page and (wrote or case.verdict in ("FAIL", "ERROR")):  # what was written is to be reviewed
            sections.append(_section(asked, case, shown))

    found = [*check_metrics(golden, report, profile, digest), *check_limits(report, limits)]
    case = case_of(asked.case, asked.golden, found, report, seen, golden.causes)
    case = msgspec.structs.replace(case, golden=asked.shown)
    return GoldenCheck(case, report, wrote, sections[0] if sections else None)


def _section(asked: Asked, case: Case, report: Report) -> str:
    from diagnose.render.failures import section

    return section(msgspec.structs.replace(case, id=ascii(asked.title)[1:-1], golden=asked.shown), report)


def _profile(asked: Asked) -> Profile:
    if asked.profile is None:
        return default_profile()
    if isinstance(asked.profile, str | os.PathLike):
        return load_profile(os.path.join(asked.folder, asked.profile))
    return asked.profile


def _sound(source: Source, folder: str, mend: bool = False) -> Source:
    """What compare() takes: of a path the sound, named as the test names it; Audio, an array or a tensor as it is."""
    if isinstance(source, str | os.PathLike):
        return msgspec.structs.replace(audio.read(os.path.join(folder, source), mend=mend), name=os.fspath(source))
    return source


def _digest(asked: Asked, report: Report) -> str:
    """SHA-256 of the reference: a file's bytes, else rate, shape and samples as little-endian float32."""
    if isinstance(asked.reference, str | os.PathLike):
        return reference_sha256(report)
    assert report.pair is not None
    sound = report.pair.files[0].audio
    head = f"{sound.rate} Hz, {sound.channels} x {sound.length}\n".encode()
    return hashlib.sha256(head + np.ascontiguousarray(sound.samples, "<f4").tobytes()).hexdigest()


def _update(path: Path, case: str, report: Report, profile: Profile, digest: str) -> tuple[str, ...]:
    """Write a golden where there is none, else what a check would not pass silently; what was written, in lines."""
    with locked(path):  # two tests, or two sessions, may be about to write it
        golden = load_golden(path)
        if golden is None:
            measured = new_golden(case, report, profile, digest, git.user())
            save_golden(path, measured)
            return (f"new, {len(measured.metric)} metrics", *_found(measured.causes))
        names = changed_metrics(golden, report, profile, digest)
        if not names:
            return ()
        measured = new_golden(case, report, profile, digest, golden.recorded_by)
        new = merge_accepted(golden, measured, names, REASON, git.user())
        save_golden(path, msgspec.structs.replace(new, causes=measured.causes))
    moved = new.accepted[len(golden.accepted) :]
    return (f"{len(moved)} of {len(new.metric)} metrics", *map(_line, moved), *_found(measured.causes))


def _found(causes: Sequence[str]) -> list[str]:
    """What is wrong with the pair as it is recorded, for whoever reviews it."""
    return [f"causes recorded: {', '.join(causes)}"] if causes else []


def _line(entry: Accepted) -> str:
    return f"{entry.metric}: {_value(entry.old)} -> {_value(entry.new)}"


def _value(value: Any) -> str:
    return number(value, "ratio") if isinstance(value, float) else str(value)
