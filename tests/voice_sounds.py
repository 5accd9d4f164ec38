"""Small sounds for the tests of voice: a vowel-like buzz that glides, with noise, the same for a seed."""

import numpy as np

from harmonium.voice.wav import write_wav


def sound(seconds=0.4, rate=8000, pitch=120.0, seed=0, silence=0.0):
    """A buzz of ten harmonics that falls in pitch and fades, with `silence` seconds of near nothing on both sides."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 - 0.2 * t)) / rate
    colours = rng.uniform(0.05, 1.0, 10)
    buzz = sum(c * np.sin((i + 1) * phase) for i, c in enumerate(colours))
    buzz = buzz / np.abs(buzz).max() * (0.4 + 0.6 * np.sin(np.pi * t / seconds) ** 2) + 0.003 * rng.standard_normal(
        len(t)
    )
    still = 1e-5 * rng.standard_normal(round(silence * rate))
    return (0.5 * np.concatenate([still, buzz, still])).astype(np.float32)


def write_digits(folder, labels=("0", "1"), speakers=("ann", "bob"), indices=range(8), rate=8000):
    """WAV files {label}_{speaker}_{index}.wav, of different lengths and pitches."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, label in enumerate(labels):
        for j, speaker in enumerate(speakers):
            for index in indices:
                made = sound(0.2 + 0.02 * index, rate, 100 + 40 * i + 15 * j, seed=100 * i + 10 * j + index)
                write_wav(folder / f"{label}_{speaker}_{index}.wav", made, rate)
    return folder
