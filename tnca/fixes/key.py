"""The name of a training: a hash of all that it depends on (settings, sound, code)."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import diagnose.version
import tnca
from tnca.config import as_table

if TYPE_CHECKING:
    from diagnose.audio import Audio
    from tnca.config import Config

LENGTH = 16
# Who only asks for trainings, or shows what came of them.
WITHOUT = ("cli", "fixes", "render", "picture", "templates")


def key(config: Config, sound: Audio) -> str:
    """Hexadecimal; the same for the same training and for no other, so that none is taken for one it is not."""
    text = json.dumps([as_table(config), fingerprint(sound), _code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def fingerprint(sound: Audio) -> str:
    """Of the samples and their rate; not of the name."""
    return hashlib.sha256(f"{sound.rate} {sound.samples.shape} ".encode() + sound.samples.tobytes()).hexdigest()[
        :LENGTH
    ]


@lru_cache(maxsize=1)
def _code() -> str:
    """Of every source file of both packages but those of WITHOUT."""
    digest = hashlib.sha256()
    for package in (diagnose.version.__file__, tnca.__file__):
        root = Path(package).parent
        for path in sorted(root.rglob("*.py")):
            if path.relative_to(root).parts[0].removesuffix(".py") not in WITHOUT:
                digest.update(path.read_bytes())
    return digest.hexdigest()
