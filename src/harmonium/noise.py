"""Randomness as an argument: the one place where random numbers are drawn.

Families turn uniforms into samples by their inverse distribution function, so a test may pass an even grid, and a
compiled step gets the same tensor as an eager one.  Float32 uniforms are multiples of 2^-24: a probability below
6e-8 is drawn as 0 or as 6e-8.

On the processor the words come from SFC64 (Doty-Humphrey's small fast counter, in NumPy), two uniforms from each
64-bit word: torch's own generator takes more than twice as long.  On a GPU the device's generator draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


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
        self._numpy = np.random.Generator(np.random.SFC64(seed)) if self.device.type == "cpu" else None
        self._torch = None if self._numpy else torch.Generator(device=self.device).manual_seed(seed)
        self._buffers: dict[tuple[int, ...], Tensor] = {}

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1)."""
        out = self._buffer(shape)
        if self._numpy is None:
            return out.uniform_(generator=self._torch)
        if self.dtype == torch.float64:
            self._numpy.random(out=out.numpy())
            return out
        words = self._numpy.bit_generator.random_raw((out.numel() + 1) // 2)
        low = torch.from_numpy(words).view(torch.int32)[: out.numel()].bitwise_and_((1 << 24) - 1)
        return out.copy_(low.view(shape)).mul_(2.0**-24)

    def _buffer(self, shape: tuple[int, ...]) -> Tensor:
        out = self._buffers.get(shape)
        if out is None:
            if len(self._buffers) >= 16:  # shapes change where minibatches grow: keep the few in use
                self._buffers.clear()
            out = self._buffers[shape] = torch.empty(shape, dtype=self.dtype, device=self.device)
        return out

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, in a fresh tensor."""
        if self._numpy is None:
            return torch.empty(shape, dtype=self.dtype, device=self.device).normal_(generator=self._torch)
        return torch.from_numpy(self._numpy.standard_normal(shape)).to(self.dtype)

    @property
    def state(self) -> Tensor:
        """The generator's state, to be stored and set again."""
        if self._numpy is None:
            assert self._torch is not None
            return self._torch.get_state()
        words: np.ndarray = self._numpy.bit_generator.state["state"]["state"]
        return torch.from_numpy(words.copy()).view(torch.int64)

    @state.setter
    def state(self, value: Tensor) -> None:
        if self._numpy is None:
            assert self._torch is not None
            self._torch.set_state(value.cpu())
        else:
            inner = self._numpy.bit_generator.state
            inner["state"]["state"] = value.contiguous().view(torch.uint64).numpy().copy()
            self._numpy.bit_generator.state = inner


class Streams(Noise):
    """The streams of R machines as one: what is drawn has a leading axis R, and each stream fills its own part.

    So a machine in a stack meets the numbers that it would meet alone.  One SFC64 for the whole stack would save less
    than a tenth of the drawing.
    """

    def __init__(self, streams: Sequence[Noise]) -> None:
        super().__init__(0, dtype=streams[0].dtype, device=streams[0].device)
        self.streams = list(streams)
        self._words: dict[int, np.ndarray] = {}

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1): (R, ...)."""
        out = self._buffer(shape)
        generators = [stream._numpy for stream in self.streams]
        if self._numpy is None or self.dtype == torch.float64:
            for part, stream, generator in zip(out, self.streams, generators, strict=True):
                if generator is None:
                    part.uniform_(generator=stream._torch)
                else:
                    generator.random(out=part.numpy())
            return out
        # Each stream's words as `Noise` takes them, and one conversion for all
        count = out[0].numel()
        words = self._words.get(count)
        if words is None:
            self._words = dict(list(self._words.items())[-15:])
            words = self._words[count] = np.empty((len(out), (count + 1) // 2), np.uint64)
        for part, generator in zip(words, generators, strict=True):
            assert generator is not None
            part[:] = generator.bit_generator.random_raw(words.shape[1])
        low = torch.from_numpy(words).view(torch.int32)[:, :count].bitwise_and_((1 << 24) - 1)
        return out.copy_(low.view(shape)).mul_(2.0**-24)

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
