"""Voice: recordings to features (spectrograms as rows), decisions about whole recordings, and rows back to sound."""

from harmonium.voice.dataset import VoiceData, voice_data, voice_dataset
from harmonium.voice.decide import recording_log_probabilities
from harmonium.voice.features import Features, Standard, load_features, save_features
from harmonium.voice.recordings import Recording, Recordings, read_recording, read_recordings

__all__ = [
    "Features",
    "Recording",
    "Recordings",
    "Standard",
    "VoiceData",
    "load_features",
    "read_recording",
    "read_recordings",
    "recording_log_probabilities",
    "save_features",
    "voice_data",
    "voice_dataset",
]
