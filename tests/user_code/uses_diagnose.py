"""A user's program: every name of the front door, as `mypy --strict` sees it.  tests/test_front_door.py runs both."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_type

import numpy as np

import diagnose
from diagnose import DiagnoseError, InputError, Limit, Profile, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compared(reference: Path, generated: str) -> Report:
    limits: Profile = {"rms_ratio": Limit("ratio", "both", "by ear", fail=1.2)}
    strict = diagnose.compare(reference, generated, profile=limits)
    assert_type(strict["rms_ratio"], diagnose.MetricRow)
    assert_type(strict["rms_ratio"].limit.fail, float | None)
    report = diagnose.compare(reference, diagnose.read(generated))
    assert_type(report.verdict, Literal["PASS", "WARN", "FAIL", "ERROR"])
    assert_type(report.causes, tuple[diagnose.Cause, ...])
    assert_type(report.regions, tuple[diagnose.Region, ...])
    assert_type(report.reference, diagnose.SoundFacts)
    assert_type(report.alignment, diagnose.AlignmentFacts)
    return report


def kept(report: Report, path: Path) -> Report:
    path.write_text(json.dumps(report.as_dict()))
    return diagnose.read_report(path)


def measured(samples: NDArray[np.float64], rate: int) -> float | None:
    found = diagnose.measure(samples, rate=rate)
    assert_type(found, Mapping[str, diagnose.Measurement])
    return diagnose.measure(samples, rate=rate, metrics=["rms_dbfs"])["rms_dbfs"].value


def convention(mel: NDArray[np.float32]) -> str:
    found = diagnose.infer_contract(mel)
    assert_type(found, diagnose.Inference)
    try:
        check = diagnose.check_contract(mel, "bigvgan_base_22khz_80band")
    except diagnose.ContractMismatch as error:
        return f"{error.agreement.wanted.name}: {len(error.agreement.differences)} differences"
    assert_type(check, diagnose.ContractCheck)
    assert_type(check.wanted, diagnose.MelContract)
    return check.verdict


def refused(path: str) -> str:
    try:
        diagnose.read(path)
    except InputError as error:
        return str(error)
    except (diagnose.NotComparable, diagnose.CannotConvert, DiagnoseError) as error:
        return str(error.exit_code)
    return ""


def main(reference: str, generated: str) -> None:
    report = compared(Path(reference), generated)
    again = kept(report, Path(generated).with_suffix(".json"))
    sound = diagnose.read(reference)
    assert_type(sound, diagnose.Audio)
    level = measured(sound.samples.astype(np.float64), sound.rate)
    said = convention(np.log(np.maximum(np.outer(np.arange(80), np.arange(90)), 1e-5)).astype(np.float32))
    print(report.verdict, again.verdict, level is not None, said, refused("none.wav"), diagnose.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
