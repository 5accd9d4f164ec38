"""Made-up words for the short form: buzzes of a few harmonics whose colour and pitch glide, with a voice each.

A word has a way from one vowel-like colour to another; a speaker has a pitch; a take has a length, noise and a little
of everything else.  They show what the study does, and say nothing of speech.
"""

from __future__ import annotations

import numpy as np

from harmonium.noise import seed_for
from harmonium.voice.recordings import Recording, Recordings

RATE = 8000
SPEAKERS = {"low": 110.0, "middle": 150.0, "high": 210.0}
WORDS, TAKES = 5, 12


def made_up() -> Recordings:
    """`WORDS` words by each of `SPEAKERS`, `TAKES` times: the same every time."""
    items = [
        Recording(f"{word}_{speaker}_{take}.wav", _sound(word, pitch, take), str(word), speaker, take)
        for word in range(WORDS)
        for speaker, pitch in SPEAKERS.items()
        for take in range(TAKES)
    ]
    return Recordings(tuple(items), RATE, "made-up words")


def _sound(word: int, pitch: float, take: int) -> np.ndarray:
    colours = np.random.default_rng(seed_for("voice", "word", word)).uniform(0, 1, (2, 12)) ** 3
    rng = np.random.default_rng(seed_for("voice", "take", word, int(pitch), take))
    seconds = rng.uniform(0.25, 0.5)
    t = np.arange(round(seconds * RATE)) / RATE
    part = (t / seconds)[:, None]
    phase = 2 * np.pi * np.cumsum(pitch * rng.uniform(0.9, 1.1) * (1 - 0.2 * t)) / RATE
    loud = (1 - part) * colours[0] + part * colours[1] + 0.05
    buzz = (loud * np.sin(phase[:, None] * np.arange(1, 13))).sum(1) * np.sin(np.pi * t / seconds)
    made: np.ndarray = (0.5 * buzz / np.abs(buzz).max() + 0.01 * rng.standard_normal(len(t))).astype(np.float32)
    return made
