"""A fine-tuned network for other programs: an ONNX file, checked against torch before it is kept."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harmonium.deep.files import load_network
from harmonium.deep.folder import DeepFolder
from harmonium.deep.unroll import encoder, sizes_of
from harmonium.errors import HarmoniumError, InputError
from harmonium.io import new_file, written_aside
from harmonium.runs.folder import DEEP, is_deep, lacking

#: Largest difference that single precision may make between torch and what has been written.
_CLOSE = 1e-4


def export(
    run: str | os.PathLike[str], out: str | os.PathLike[str], *, overwrite: bool = False, probabilities: bool = True
) -> Path:
    """Write the network of a deep run as ONNX, with the input ``x`` (N, V) and the output ``y``, N being free.

    Parameters
    ----------
    run : path
        The folder of a deep run: its fine-tuned network, or without one the encoder of its machines.
    out : path
        A file that ends in .onnx.
    overwrite : bool
        Replace the file where there is one.
    probabilities : bool
        Of a classifier write class probabilities, not logits.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        No deep run, another ending, a file that must not be replaced, or the extra is not installed.
    HarmoniumError
        The file does not say what the network says.
    """
    if not is_deep(run):
        what = lacking(run, f"no {DEEP}")
        raise InputError(f"{run} holds no network ({what}); give the folder of a run that was trained with layers.")
    path = new_file(out, ".onnx", overwrite=overwrite)
    network = exported_network(DeepFolder(run), probabilities)
    model = onnx_bytes(network)
    with written_aside(path) as file:
        file.write(model)
    return path


def exported_network(folder: DeepFolder, probabilities: bool) -> nn.Sequential:
    """The fine-tuned network as it is, or the encoder where there is none."""
    from harmonium.deep.reopen import load_deep

    if not folder.network_path.is_file():
        if not probabilities:
            raise InputError(f"logits are of a classifier, and {folder.path} was not fine-tuned as one; leave it out.")
        return encoder(load_deep(folder.path).stack).eval()
    network, description = load_network(folder.network_path)
    if not probabilities and description.get("task") != "classifier":
        raise InputError(f"logits are of a classifier, and {folder.path} holds an autoencoder; leave it out.")
    if description.get("task") == "classifier" and probabilities:
        return nn.Sequential(*network, nn.Softmax(-1)).eval()
    return network.eval()


@torch.no_grad()
def onnx_bytes(network: nn.Module) -> bytes:
    """The network as an ONNX file; raises InputError without the extra, HarmoniumError where the two disagree."""
    try:
        import onnx
        import onnxscript  # noqa: F401 - what torch writes with
        from onnx.reference import ReferenceEvaluator
    except ImportError as error:
        raise InputError(f'this needs {error.name}: pip install "harmonium[onnx]".') from None
    x = torch.rand(3, sizes_of(network)[0], generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about its own insides, as are its notes on what is not installed
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program: Any = torch.onnx.export(
            network, (x,), input_names=["x"], output_names=["y"], dynamo=True, verbose=False,
            dynamic_shapes={"input": {0: torch.export.Dim("rows")}},
        )  # fmt: skip
        model = program.model_proto
    onnx.checker.check_model(model)
    (said,) = ReferenceEvaluator(model).run(None, {"x": x[:2].numpy()})
    off = float((torch.from_numpy(said) - network(x[:2])).abs().max())
    if not off < _CLOSE:
        raise HarmoniumError(f"the ONNX file differs from the network by {off:.2g}, so it was not written.")
    found: bytes = model.SerializeToString()
    return found
