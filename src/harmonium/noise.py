"""Randomness as an argument: the one place where random numbers are drawn.

Families turn uniforms into samples by their inverse distribution function, so a test may pass an even grid, and a
compiled step gets the same numbers as an eager one.  Float32 uniforms are multiples of 2^-24: a probability below
6e-8 is drawn as 0 or as 6e-8.

On the processor the n-th block of a stream is a function of n and the seed alone (`harmonium.kernels.philox`): the
numbers do not depend on how many threads draw them, and a stream's state is the number of the next block.  On a GPU
the device's generator draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harmonium.errors import InputError
from harmonium.kernels.philox import BLOCKS, per_stripe
from harmonium.kernels.team import PART, run


def seed_for(*words: object) -> int:
    """One 63-bit seed from several words, such as (seed, "chains", 3): streams that never overlap by accident."""
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


class Noise:
    """A stream of random numbers of one precision on one device, with a state that can be stored.

    The tensor that `uniform` returns is the stream's own buffer: it is overwritten by the next call of that shape.
    """

    def __init__(self, seed: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> None:
        self.dtype = dtype
        self.device = torch.device(device)
        self._key, self.next_block = seed % 2**64, 0
        on_cpu = self.device.type == "cpu"
        self._torch = None if on_cpu else torch.Generator(device=self.device).manual_seed(seed)
        self._buffers: dict[tuple[int, ...], Tensor] = {}

    @property
    def parts(self) -> Sequence[Noise]:
        """The streams that draw for the machines of a stack, one each; of a single machine this one."""
        return (self,)

    def reserve(self, count: int) -> tuple[int, int]:
        """Key and first block of so many numbers of this precision, which nobody else will draw."""
        block = self.next_block
        self.next_block += BLOCKS * -(-count // per_stripe(self.dtype == torch.float64))
        return self._key, block

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1)."""
        out = self._buffer(shape)
        if self._torch is None:
            self._fill(out)
            return out
        return out.uniform_(generator=self._torch)

    def _fill(self, out: Tensor) -> None:
        from harmonium.kernels.philox_pass import fill_all_float32, fill_all_float64

        fill = fill_all_float64 if self.dtype == torch.float64 else fill_all_float32
        run(fill, [*self.reserve(out.numel()), out.view(-1)], -(-out.numel() // PART))

    def _buffer(self, shape: tuple[int, ...]) -> Tensor:
        out = self._buffers.get(shape)
        if out is None:
            if len(self._buffers) >= 16:  # shapes change where minibatches grow: keep the few in use
                self._buffers.clear()
            out = self._buffers[shape] = torch.empty(shape, dtype=self.dtype, device=self.device)
        return out

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, in a fresh tensor."""
        if self._torch is not None:
            return torch.empty(shape, dtype=self.dtype, device=self.device).normal_(generator=self._torch)
        generator = np.random.Generator(np.random.SFC64(self.reserve(1)))  # few are drawn, and only to begin with
        return torch.from_numpy(generator.standard_normal(shape)).to(self.dtype)

    @property
    def state(self) -> Tensor:
        """Where the stream is, to be stored and set again."""
        if self._torch is not None:
            return self._torch.get_state()
        return torch.from_numpy(np.array([self._key, self.next_block], np.uint64)).view(torch.int64)

    @state.setter
    def state(self, value: Tensor) -> None:
        if self._torch is not None:
            self._torch.set_state(value.cpu())
            return
        if value.shape != (2,):
            raise InputError(
                "this training was begun with an earlier version's random numbers, which this one does not have; "
                "train anew."
            )
        self._key, self.next_block = value.contiguous().view(torch.uint64).tolist()


class Streams(Noise):
    """The streams of R machines as one: what is drawn has a leading axis R, and each stream fills its own part.

    So a machine in a stack meets the numbers that it would meet alone.
    """

    def __init__(self, streams: Sequence[Noise]) -> None:
        super().__init__(0, dtype=streams[0].dtype, device=streams[0].device)
        self.streams = list(streams)

    @property
    def parts(self) -> Sequence[Noise]:
        """The streams."""
        return self.streams

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1): (R, ...)."""
        out = self._buffer(shape)
        for part, stream in zip(out, self.streams, strict=True):
            if stream._torch is None:
                stream._fill(part)
            else:
                part.uniform_(generator=stream._torch)
        return out

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, in a fresh tensor: (R, ...)."""
        return torch.stack([stream.normal(*shape[1:]) for stream in self.streams])

    @property
    def state(self) -> Tensor:
        """The states of all streams: (R, ...)."""
        return torch.stack([stream.state for stream in self.streams])

    @state.setter
    def state(self, value: Tensor) -> None:
        for stream, own in zip(self.streams, value, strict=True):
            stream.state = own
