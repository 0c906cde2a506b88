"""Pictures drawn as people draw them: librosa.display.specshow, plt.colorbar, savefig."""

from __future__ import annotations

import numpy as np
import pytest

RATE, HOP = 22050, 256


def ridges(bands=80, frames=90, low=-80.0):
    """Levels in dB [shape=(bands, frames)], 0 at most: slanted ridges that fall with time and frequency, and noise."""
    rng = np.random.default_rng(7)
    t, b = np.arange(frames)[None] / frames, np.arange(bands)[:, None] / bands
    levels = -20 - 50 * b - 25 * t + 12 * np.sin(54 * t + 20 * b) + rng.normal(0, 3, (bands, frames))
    return np.clip(levels - levels.max(), low, 0)


@pytest.fixture(scope="session")
def array():
    return ridges


@pytest.fixture
def draw(tmp_path):
    """draw(levels, file=..., size=..., dpi=..., cmap=..., y=..., x=..., title=..., bar=..., style=...) -> path."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: nothing can be drawn").use("Agg")
    display = pytest.importorskip("librosa.display", reason="librosa is not installed: nothing can be drawn")
    import matplotlib.pyplot as plt

    def make(
        levels,
        file="drawn.png",
        size=(10, 4),
        dpi=100,
        cmap="magma",
        y="mel",
        x="time",
        title=True,
        bar="%+2.0f dB",
        style="default",
        before_saving=None,
        **show,
    ):
        path = str(tmp_path / file)
        if y in ("linear", "log"):
            show["n_fft"] = 2 * (len(levels) - 1)
        with plt.style.context(style):
            figure, axes = plt.subplots(figsize=size, dpi=dpi)
            mesh = display.specshow(levels, sr=RATE, hop_length=HOP, x_axis=x, y_axis=y, cmap=cmap, ax=axes, **show)
            if bar:
                figure.colorbar(mesh, ax=axes, format=bar)
            if title:
                axes.set_title("Generated Spectrogram - Epoch 5000")
            if before_saving:
                before_saving(figure, axes)
            figure.savefig(path)
            plt.close(figure)
        return path

    return make
