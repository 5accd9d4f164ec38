"""A study: parts with their tasks, each of which becomes a section of the report.

    parts -> tasks (parallel, kept on disk) -> sections, figures, numbers -> report.html, numbers.json, figures/

Drawing and writing read results alone, so that a report can be made again in seconds.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmonium.errors import InputError, Interrupted, StoppedError
from harmonium.experiments.tasks import Done, Say, Task, done, execute, ordered
from harmonium.io import write_json
from harmonium.plots import save
from harmonium.report import blocks
from harmonium.report.markdown import write_markdown
from harmonium.report.page import write_numbers, write_report
from harmonium.runs.environment import environment
from harmonium.runs.processes import processors, threads_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Mapping[str, Done]


@dataclass(frozen=True)
class Scale:
    """How large a study is.

    Attributes
    ----------
    name : str
        ``full`` or ``quick``.
    data : mapping
        The options of `harmonium.config.Config` that say which data, with the binarisation.
    comparable : bool
        Whether the numbers stand for the document's own data.
    """

    name: str
    data: Mapping[str, Any]
    comparable: bool

    @property
    def quick(self) -> bool:
        """Whether it is the short form."""
        return self.name == "quick"

    def pick(self, full: Any, quick: Any) -> Any:
        """One of two values, by the scale."""
        return quick if self.quick else full


@dataclass
class Notebook:
    """Where the parts of a study put their figures, numbers and verdicts."""

    out: Path
    scale: Scale
    facts: Mapping[str, str]
    numbers: dict[str, Any] = field(default_factory=dict)
    verdicts: list[blocks.Verdict] = field(default_factory=list)

    def figure(self, name: str, figure: Figure | Axes, caption: str, alt: str) -> blocks.Figure:
        """Save a picture as PNG and SVG, and give the block that shows it."""
        for kind in ("png", "svg"):
            save(figure, self.out / "figures" / f"{name}.{kind}")
        return blocks.Figure(name, caption, alt)

    @property
    def per_image(self) -> str:
        """The unit of all scores, with what was done to the grey values: no score means anything without."""
        return f"nats per image; {self.facts['binarisation']}"

    def verdict(self, claim: str, where: str, verdict: str, evidence: str) -> blocks.Verdict:
        """A claim of the document and what has become of it: shown where it is made, and in the summary.

        On data that are not the document's nothing is confirmed or contradicted, and the report shows no verdicts.
        """
        block = blocks.Verdict(claim, where, verdict if self.scale.comparable else "undecided", evidence)
        self.verdicts.append(block)
        return block


@dataclass(frozen=True)
class Part:
    """A figure, a table or a question.

    ``tasks(scale)`` names the work by labels of its own, ``section(results, notebook)`` finds the results under them.
    """

    name: str
    title: str
    tasks: Callable[[Scale], Mapping[str, Task]]
    section: Callable[[Results, Notebook], blocks.Section]


@dataclass(frozen=True)
class Experiment:
    """A document and how its study is done.

    Attributes
    ----------
    intro : callable
        ``intro(notebook, sections)``: the blocks of the summary, once all sections are there.
    facts : callable
        ``facts(scale)``: what the data are, in words.
    """

    name: str
    title: str
    subtitle: str
    parts: Sequence[Part]
    scales: Mapping[str, Scale]
    intro: Callable[[Notebook, Sequence[blocks.Section]], Sequence[blocks.Block]]
    facts: Callable[[Scale], Mapping[str, str]]

    def chosen(self, only: Iterable[str]) -> list[Part]:
        """The parts of those names, in the report's order; all where none is named."""
        wanted, known = set(only), [part.name for part in self.parts]
        for name in wanted.difference(known):
            raise InputError(f"only={name!r} is no part of {self.name}; choose from {', '.join(known)}.")
        return [part for part in self.parts if not wanted or part.name in wanted]


@dataclass(frozen=True)
class Reproduced:
    """What a study has left: the page as a file and as blocks, and every number in it."""

    report: Path
    page: blocks.Report
    numbers: Mapping[str, Any]
    seconds: float


def reproduce(
    experiment: Experiment,
    out: str | os.PathLike[str],
    *,
    quick: bool = False,
    only: Iterable[str] = (),
    workers: int = 0,
    say: Say = lambda line: None,
) -> Reproduced:
    """Do a study, or go on with one, and write its report.

    Parameters
    ----------
    experiment : Experiment
        See `find_experiment`.
    out : path
        The folder: ``report.html``, ``report.md``, ``numbers.json``, ``figures/``, and under ``work/`` the results and
        machines.
    quick : bool
        The short form, on bundled or made-up data.
    only : iterable of str
        Names of parts to compute; all where there are none.  The report shows all parts that are there.
    workers : int
        Processes, by default one a processor.
    say : callable
        Takes a line about how far it has come.

    Raises
    ------
    InputError
        An unknown part, or data that are not there.
    HarmoniumError
        Tasks failed; what is finished is kept.
    StoppedError
        A signal came; what is finished is kept.
    """
    began = time.perf_counter()
    scale = experiment.scales["quick" if quick else "full"]
    chosen = experiment.chosen(only)
    if workers < 0:
        raise InputError(f"workers={workers} is not a number of processes; give 1 or more, or 0 for one a processor.")
    workers = workers or processors()
    threads = threads_for(workers)
    facts = experiment.facts(scale)  # finds the data before anything is written
    out = _claimed(Path(out), experiment, scale)
    plan = {part.name: part.tasks(scale) for part in experiment.parts}
    work = out / "work"
    wanted = [task for part in chosen for task in plan[part.name].values()]
    try:
        execute(wanted, work, workers, threads, say)
    except Interrupted as error:
        kept = sum(done(task, work) is not None for task in ordered(wanted))
        raise StoppedError(
            f"stopped; {kept} of {len(ordered(wanted))} tasks are done and kept, and the same command goes on",
            error.signal_number,
        ) from None
    # whatever has been computed before is in the report, too
    parts = [p for p in experiment.parts if p in chosen or (plan[p.name] and _all_done(plan[p.name], work))]
    say("drawing the figures and writing the report …")
    notebook = Notebook(out, scale, facts)
    sections: list[blocks.Section] = []
    taken: dict[str, float] = {}
    for part in parts:
        results = {label: _found(task, work) for label, task in plan[part.name].items()}
        taken |= {str(result.folder): result.seconds for result in results.values()}
        section = part.section(results, notebook)
        shown = [b for b in section.blocks if scale.comparable or not isinstance(b, blocks.Verdict)]
        sections.append(replace(section, blocks=shown))
    command = f"harmonium reproduce {experiment.name}" + " --quick" * quick
    if len(parts) < len(experiment.parts):
        command += "".join(f" --only {part.name}" for part in parts)
    versions = environment()
    numbers = {
        "command": command,
        "scale": scale.name,
        "facts": dict(facts),
        "environment": {k: v for k, v in versions.items() if k != "command"},
        "seconds_of_work": sum(taken.values()),
        "verdicts": [asdict(verdict) for verdict in notebook.verdicts] if scale.comparable else [],
        **notebook.numbers,
    }
    report = blocks.Report(
        title=experiment.title,
        subtitle=experiment.subtitle,
        summary=experiment.intro(notebook, sections),
        sections=sections,
        facts={
            **facts,
            "made by": command,
            "computing": f"{_hours(sum(taken.values()))} of work on one core; "
            f"{workers} process{'es' * (workers > 1)} of {threads} thread{'s' * (threads > 1)}",
            "software": f"harmonium {versions['harmonium']}, torch {versions['torch']}, Python {versions['python']}, "
            f"{platform.machine()}",
        },
        numbers=numbers,
    )
    write_numbers(report, out)
    write_markdown(report, out / "report.md")
    return Reproduced(write_report(report, out), report, numbers, time.perf_counter() - began)


def _claimed(out: Path, experiment: Experiment, scale: Scale) -> Path:
    """The folder, made if need be and marked as that of this study; raises InputError where it is something else's."""
    mark, own = out / "study.json", {"study": experiment.name, "scale": scale.name}
    if out.exists() and not out.is_dir():
        raise InputError(f"out={out} is a file; give the path of a folder.")
    if mark.is_file():
        try:
            found = dict(json.loads(mark.read_text()))
        except (ValueError, TypeError):
            raise InputError(f"{mark} is damaged; remove it, or choose another folder.") from None
        if found != own:
            raise InputError(
                f"out={out} holds the {found.get('scale')} form of {found.get('study')}, not the {scale.name} form of "
                f"{experiment.name}; choose another folder."
            )
        return out
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"out={out} holds other files, and no study; choose another folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"out={out} cannot be made: {error.strerror}; choose another folder.") from None
    write_json(mark, own)
    return out


def _all_done(tasks: Mapping[str, Task], work: Path) -> bool:
    return all(done(task, work) is not None for task in tasks.values())


def _found(task: Task, work: Path) -> Done:
    found = done(task, work)
    assert found is not None, task.name
    return found


def _hours(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
