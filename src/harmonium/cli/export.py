"""``harmonium export``."""

from __future__ import annotations

import click

from harmonium.cli.shared import Grouped, imports


@click.command(cls=Grouped, short_help="A network of machines as an ONNX file.")
@click.argument("run")
@click.option("--out", required=True, metavar="FILE.onnx", help="Where it goes.")
@click.option("--logits", is_flag=True, help="Of a classifier: outputs before the softmax.  [class probabilities]")
@click.option("--overwrite", is_flag=True, help="Replace FILE.onnx where it is there already.")
def export(run: str, out: str, logits: bool, overwrite: bool) -> None:
    """Write the network of a RUN that was trained with --layers as ONNX, which other programs read.

    Its input x holds a row of data each, its output y class probabilities, or an autoencoder's regeneration; without
    fine-tuning, the means of the top layer.  In Python hm.load_deep(RUN).network is a plain torch.nn.Sequential; it
    is None without fine-tuning, and harmonium.deep.unroll.encoder(hm.load_deep(RUN).stack) makes what is written here.
    """
    with imports():
        from harmonium.deep.export import export as export_run

    click.echo(export_run(run, out, overwrite=overwrite, probabilities=not logits))
