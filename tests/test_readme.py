"""The README's first screen is what the tool prints."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_first_block_is_the_real_output(data, tmp_path):
    shutil.copy(data / "violin.wav", tmp_path / "violin.wav")
    shutil.copy(data / "generated_bigvgan-2.wav", tmp_path / "generated.wav")
    shown = (ROOT / "README.md").read_text().split("```\n$ diagnose compare violin.wav generated.wav\n")[1]
    shown, _, code = shown.split("```")[0].partition("$ echo $?\n")
    tool = Path(sys.executable).parent / "diagnose"
    done = subprocess.run(
        [tool, "compare", "violin.wav", "generated.wav"], cwd=tmp_path, capture_output=True, text=True
    )
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()
    assert int(code) == done.returncode


def test_the_example_profile_is_read(tmp_path):
    from diagnose.verdicts import load_profile

    blocks = (ROOT / "README.md").read_text().split("```toml\n")[1:]
    profile = next(block.split("```")[0] for block in blocks if block.startswith("[metric."))
    (tmp_path / "limits.toml").write_text(profile)
    assert list(load_profile(tmp_path / "limits.toml")) == ["spectral_centroid_hz"]


def test_the_example_suite_is_read(tmp_path):
    from diagnose.golden import load_suite

    blocks = (ROOT / "README.md").read_text().split("```toml\n")[1:]
    suite = next(block.split("```")[0] for block in blocks if "[suite]" in block)
    (tmp_path / "suite.toml").write_text(suite)
    assert [case.id for case in load_suite(tmp_path / "suite.toml").cases] == ["violin"]
