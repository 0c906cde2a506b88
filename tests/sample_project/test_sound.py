"""The gate inside pytest: the same pair, its golden in golden/test_sound/."""

import pytest
import render


@pytest.mark.audio_golden(reference="sounds/reference.wav")
def test_the_pipeline_gives_the_open_g_back(audio_golden):
    render.main()
    audio_golden("sounds/generated.wav")
