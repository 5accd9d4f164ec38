"""Randomness as an argument: the one place where random numbers are drawn.

Families turn uniforms into samples by their inverse distribution function, so a test may pass an even grid, and a
compiled step gets the same tensor as an eager one.  Float32 uniforms are multiples of 2^-24: a probability below
6e-8 is drawn as 0 or as 6e-8.

On the processor the words come from SFC64 (Doty-Humphrey's small fast counter, in NumPy), two uniforms from each
64-bit word: torch's own generator takes more than twice as long.  On a GPU the device's generator draws.
"""

from __future__ import annotations

import hashlib

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
        out = self._buffers.get(shape)
        if out is None:
            if len(self._buffers) >= 16:  # shapes change where minibatches grow: keep the few in use
                self._buffers.clear()
            out = self._buffers[shape] = torch.empty(shape, dtype=self.dtype, device=self.device)
        if self._numpy is None:
            return out.uniform_(generator=self._torch)
        if self.dtype == torch.float64:
            self._numpy.random(out=out.numpy())
            return out
        words = self._numpy.bit_generator.random_raw((out.numel() + 1) // 2)
        low = torch.from_numpy(words).view(torch.int32)[: out.numel()].bitwise_and_((1 << 24) - 1)
        return out.copy_(low.view(shape)).mul_(2.0**-24)

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
