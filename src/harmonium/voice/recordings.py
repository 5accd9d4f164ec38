"""Recordings of a folder: the sound of each WAV file, at one rate, with the label and the speaker that it has.

Labels come from the names of the files,

    {label}_{speaker}_{index}        7_jackson_32.wav: label 7, speaker jackson, index 32        (the default)

or from a table in CSV with the columns file, label and perhaps speaker.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from harmonium.errors import InputError
from harmonium.voice.wav import Signal, breaks_off, read_wav, resample

PATTERN = "{label}_{speaker}_{index}"
_FIELDS = ("label", "speaker", "index")


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording.

    Attributes
    ----------
    file : str
        Its name in the folder.
    signal : array (n,) of float32
        Samples within -1 and 1.
    label, speaker : str
        What is said and by whom; empty where not known.
    index : int
        Its number among those of one label and speaker, -1 where it has none.
    """

    file: str
    signal: Signal
    label: str = ""
    speaker: str = ""
    index: int = -1


@dataclass(frozen=True, eq=False)
class Recordings(Sequence[Recording]):
    """Recordings at one rate.

    Attributes
    ----------
    items : tuple of Recording
    rate : int
        Samples a second.
    folder : str
        Where they lie.
    notes : tuple of str
        What was done to the sound on the way in (channels mixed down, rates changed), and which files are not whole.
    """

    items: tuple[Recording, ...]
    rate: int
    folder: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> Recording: ...

    @overload
    def __getitem__(self, place: slice) -> Recordings: ...

    def __getitem__(self, place: int | slice) -> Recording | Recordings:
        return self._with(self.items[place]) if isinstance(place, slice) else self.items[place]

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.items)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names of all speakers, sorted."""
        return tuple(sorted({one.speaker for one in self.items if one.speaker}))

    def where(self, chosen: Iterable[bool]) -> Recordings:
        """Those for which `chosen` (R,) is true, in their order."""
        return self._with(tuple(one for one, take in zip(self.items, chosen, strict=True) if take))

    def _with(self, items: tuple[Recording, ...]) -> Recordings:
        return Recordings(items, self.rate, self.folder, self.notes)


def read_recording(path: str | os.PathLike[str], rate: int | None = None) -> Recordings:
    """One WAV file without a label, at its own or another rate; for InputErrors see `read_wav`."""
    path = Path(path).expanduser()
    return _read(path.parent, [(path.name, "", "", -1)], rate)


def read_recordings(
    folder: str | os.PathLike[str],
    *,
    pattern: str = PATTERN,
    table: str | os.PathLike[str] | None = None,
    rate: int | None = None,
    unlabelled: bool = False,
) -> Recordings:
    """Read all WAV files of a folder, or those of a table.

    Parameters
    ----------
    folder : path
        Its sub-folders are not looked at.
    pattern : str
        What the names are made of, before ``.wav``: {label}, and perhaps {speaker} and {index} (a whole number).
    table : path, optional
        A CSV file whose columns file, label and perhaps speaker are used instead of the names; a file is looked for in
        the folder.
    rate : int, optional
        Samples a second of all of them; by default the rate that most of the files have.
    unlabelled : bool
        Names need not say a label; where one does not, all are in the order of their names.

    Returns
    -------
    Recordings
        In the order of label, speaker, index and name (numbers as numbers), or in that of the table.

    Raises
    ------
    InputError
        A folder that is missing or has no WAV files, a name that the pattern does not read, a row of the table without
        label or file, a file that cannot be read (see `read_wav`).
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give one with WAV files.")
    rows = _from_names(folder, pattern, unlabelled) if table is None else _from_table(folder, Path(table).expanduser())
    return _read(folder, rows, rate)


Row = tuple[str, str, str, int]  # file, label, speaker, index


def _from_names(folder: Path, pattern: str, unlabelled: bool) -> list[Row]:
    names = [p.name for p in folder.iterdir() if p.suffix.lower() == ".wav" and not p.name.startswith(".")]
    if not names:
        raise InputError(f"{folder} holds no .wav files; give a folder that does.")
    reader = _compiled(pattern)
    rows: list[Row] = []
    for name in sorted(names):
        found = reader.fullmatch(Path(name).stem)
        if found is None and unlabelled:
            rows.append((name, "", "", -1))
            continue
        if found is None:
            raise InputError(
                f"{folder / name} does not say its label: its name is not of the form {pattern}.wav; rename it, or "
                "give another pattern or a table."
            )
        parts = found.groupdict()
        rows.append((name, parts["label"], parts.get("speaker") or "", int(parts.get("index") or -1)))
    if not all(label for _, label, _, _ in rows):
        return sorted(rows, key=lambda row: _natural(row[0]))
    return sorted(rows, key=lambda row: (_natural(row[1]), _natural(row[2]), row[3], _natural(row[0])))


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern such as {label}_{speaker}_{index} as a regular expression."""
    pieces = re.split(r"\{(\w*)\}", pattern)
    fields = pieces[1::2]
    wrong = next((f for f in fields if f not in _FIELDS), None) or next(
        (f for f in _FIELDS if fields.count(f) > 1), None
    )
    if wrong is not None or "label" not in fields:
        raise InputError(
            f"pattern={pattern!r} must name {{label}}, and may name {{speaker}} and {{index}}, each once; the default "
            f"is {PATTERN!r}."
        )
    text = [re.escape(piece) if i % 2 == 0 else f"(?P<{piece}>{_KINDS[piece]})" for i, piece in enumerate(pieces)]
    return re.compile("".join(text))


_KINDS = {"label": ".+?", "speaker": ".+?", "index": "[0-9]+"}


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts numbers within words as numbers."""
    pieces = re.split(r"([0-9]+)", text)
    return tuple((0, int(piece), "") if i % 2 else (1, 0, piece) for i, piece in enumerate(pieces))


def _from_table(folder: Path, table: Path) -> list[Row]:
    if not table.is_file():
        raise InputError(f"there is no table {table}; give a CSV file with the columns file and label.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} cannot be read as CSV ({error}); save it as text in UTF-8.") from None
    if not lines or not {"file", "label"} <= lines[0].keys():
        raise InputError(f"{table} needs a header with the columns file and label, and rows below it.")
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        name, label = (line["file"] or "").strip(), (line["label"] or "").strip()
        if not name or not label:
            raise InputError(f"row {number} of {table} has no {'label' if name else 'file'}; fill it in or remove it.")
        if not (folder / name).is_file():
            raise InputError(
                f"row {number} of {table} names {name}, which is not in {folder}; add it or remove the row."
            )
        rows.append((name, label, (line.get("speaker") or "").strip(), -1))
    return rows


def _read(folder: Path, rows: list[Row], rate: int | None) -> Recordings:
    """The sounds of these rows at one rate, and what had to be done to them."""
    if rate is not None and rate < 1:
        raise InputError(f"rate={rate} must be at least 1 sample a second.")
    read = [read_wav(folder / name) for name, *_ in rows]
    rates, mixed = (
        Counter(own for _, own, _ in read),
        [row[0] for row, one in zip(rows, read, strict=True) if one[2] > 1],
    )
    # the most common one, and the higher of two that are as common
    rate = rate or max(rates, key=lambda own: (rates[own], own))
    notes: list[str] = []

    def note(count: int, several: str, one: str) -> None:
        notes.append(f"the recording {one}" if len(rows) == 1 else f"{count} of {len(rows)} recordings {several}")

    broken = [name for name, *_ in rows if breaks_off(folder / name)]
    if broken:
        note(
            len(broken), f"end before the length in their header, and are taken as far as they go ({broken[0]})",
            f"ends before the length in its header, and is taken as far as it goes ({broken[0]})",
        )  # fmt: skip
    if mixed:
        said = f"had several channels, mixed down to one ({mixed[0]})"
        note(len(mixed), said, said)
    for own, count in sorted(rates.items()):
        if own != rate:
            said = f"resampled from {own} to {rate} samples a second"
            note(count, f"were {said}", f"was {said}")
    items = [
        Recording(name, resample(signal, own, rate), label, speaker, index)
        for (name, label, speaker, index), (signal, own, _) in zip(rows, read, strict=True)
    ]
    return Recordings(tuple(items), rate, str(folder), tuple(notes))
