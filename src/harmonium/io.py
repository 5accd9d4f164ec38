"""Files: safetensors with one JSON description and a checksum, written aside and renamed; nothing is ever unpickled.

A model file holds  weight (hidden, visible),  visible_bias (V,),  hidden_bias (H,)  and, for families with more
natural parameters than the field,  visible_rows / hidden_rows (k - 1, size).  The JSON sits under the metadata key
``harmonium``: one key only, with sorted names, so that equal models are equal files.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor

from harmonium.errors import HarmoniumError, InputError
from harmonium.machine import RBM
from harmonium.units import parse_side

FORMAT_VERSION = 1
_KEY = "harmonium"


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write into that takes the place of `path` only when whole: a reader never sees half of it.

    Raises HarmoniumError naming the path where the disk is full or cannot be written; what stood there stays.
    """
    path = Path(path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files that others cannot read
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            space = "free some space or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            raise HarmoniumError(
                f"{path} cannot be written: {error.strerror or error}; {space}choose another folder."
            ) from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def new_file(out: str | os.PathLike[str], *endings: str, overwrite: bool) -> Path:
    """The path of a file to write, checked before anything slow.

    Raises InputError for another ending than one of those given, a file that must not be replaced, or no folder for it.
    """
    path = Path(out).expanduser()
    if path.suffix.lower() not in endings:
        raise InputError(f"out={os.fspath(out)!r} must end in {endings[0]}.")
    if path.is_dir() or (path.exists() and not overwrite):
        raise InputError(f"out={path} exists already; replace it with --overwrite, or choose another name.")
    if not path.parent.is_dir():
        raise InputError(f"out={path} lies in a folder that is not there; make {path.parent}, or choose another.")
    return path


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a small text file aside and rename it."""
    with written_aside(path) as file:
        file.write(text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON for people and machines: indented, sorted as given, no NaN."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, default=str) + "\n")


def _checksum(tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> str:
    """SHA-256 of the description but its checksum, and of all tensors with their names."""
    rest = {key: value for key, value in description.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_tensors(
    path: str | os.PathLike[str], kind: str, tensors: Mapping[str, Tensor], description: Mapping[str, Any]
) -> None:
    """Write tensors and a JSON description as one safetensors file of the given kind."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = json.loads(json.dumps({**description, "kind": kind, "format_version": FORMAT_VERSION}, default=str))
    header["sha256"] = _checksum(whole, header)
    with written_aside(path) as file:
        file.write(safetensors_bytes(whole, metadata={_KEY: json.dumps(header, sort_keys=True)}))


def load_tensors(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description of a file that `save_tensors` wrote.

    Raises InputError naming the file where it is missing, truncated, foreign, of another kind, newer, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of a {kind} file or a run folder.")
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping, only keys()
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a whole safetensors file ({error}); it is cut off or of another kind, so take another copy."
        ) from None
    except (KeyError, ValueError, RecursionError):
        raise InputError(
            f"{path} is a safetensors file, but not one of harmonium's: it has no readable description."
        ) from None
    if not isinstance(description, dict) or description.get("kind") != kind:
        found = description.get("kind", "nameless thing") if isinstance(description, dict) else "foreign thing"
        raise InputError(f"{path} holds a {found}, not a {kind}; give a {kind} file.")
    if (number := description.get("format_version")) != FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {number}, but this harmonium reads {FORMAT_VERSION}; "
            "install the version that wrote it."
        )
    if _checksum(tensors, description) != description.get("sha256"):
        raise InputError(f"{path} is damaged: its checksum does not fit its contents; take another copy or checkpoint.")
    return tensors, description


def save_model(path: str | os.PathLike[str], rbm: RBM, **description: Any) -> None:
    """Write a machine; further keywords go into the JSON description.

    Raises InputError where the arguments are not a path and a machine, in this order.
    """
    if not isinstance(rbm, RBM) or not isinstance(path, (str, os.PathLike)):
        raise InputError(
            f"save_model takes a path and a machine, not {type(path).__name__} and {type(rbm).__name__}; write "
            "save_model('model.safetensors', rbm)."
        )
    tensors = {"weight": rbm.W.mT, "visible_bias": rbm.a[0], "hidden_bias": rbm.b[0]}
    if len(rbm.a) > 1:
        tensors["visible_rows"] = rbm.a[1:]
    if len(rbm.b) > 1:
        tensors["hidden_rows"] = rbm.b[1:]
    save_tensors(path, "model", tensors, {**description, "visible": rbm.visible.spec, "hidden": rbm.hidden.spec})


def load_model(path: str | os.PathLike[str]) -> tuple[RBM, dict[str, Any]]:
    """A machine and its description, from a model file or a run folder.

    Raises InputError naming the file where it is missing, truncated, foreign, damaged, or its parts do not fit.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "model.safetensors"
    tensors, description = load_tensors(path, "model")
    try:
        a, b = (
            torch.cat([tensors[f"{side}_bias"].unsqueeze(0), *([tensors[rows]] if rows in tensors else [])])
            for side in ("visible", "hidden")
            for rows in [f"{side}_rows"]
        )
        kinds = {tensor.dtype for tensor in tensors.values()}
        if len(kinds) > 1 or not all(kind.is_floating_point for kind in kinds):
            raise ValueError(f"its tensors are {', '.join(sorted(map(str, kinds)))}, not floating-point of one kind")
        sides = parse_side(description["visible"]), parse_side(description["hidden"])
        return RBM(*sides, tensors["weight"].mT, a, b), description
    except KeyError as error:
        raise InputError(f"{path} is not a complete model: it lacks {error}; take another copy.") from None
    except (ValueError, RuntimeError, AttributeError, TypeError, OverflowError) as error:
        raise InputError(f"{path} is not a model that this harmonium knows: {str(error).rstrip('.')}.") from None


def flatten(tree: Any, tensors: dict[str, Tensor], name: str = "") -> Any:
    """A JSON-ready copy of nested dictionaries and lists, whose tensors move to `tensors` and leave their name."""
    if isinstance(tree, Tensor):
        tensors[name] = tree.clone()  # a view next to its base cannot be stored
        return {"tensor": name}
    if isinstance(tree, dict):
        return {"items": [[key, flatten(value, tensors, f"{name}/{key}")] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return [flatten(value, tensors, f"{name}/{i}") for i, value in enumerate(tree)]
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    raise TypeError(f"{name} is a {type(tree).__name__}, which a checkpoint cannot hold")


def unflatten(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of `flatten`; tuples come back as lists."""
    if isinstance(tree, dict):
        if "tensor" in tree:
            return tensors[tree["tensor"]]
        return {key: unflatten(value, tensors) for key, value in tree["items"]}
    if isinstance(tree, list):
        return [unflatten(value, tensors) for value in tree]
    return tree
