"""A differentiable front end for sound: waveforms as log-mel spectrograms."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from audit.errors import ModelError

FLOOR = 1e-6  # power below this is silence


class LogMel(torch.nn.Module):
    """(n, samples) as (n, bands, frames): the log of the power in triangular mel bands (O'Shaughnessy 1987, HTK form).

    Part of a module or of its ``encode``: gradients pass through it. ``rate`` is in Hz, window and hop in samples.
    """

    def __init__(self, rate: int, bands: int = 40, window: int = 400, hop: int = 160) -> None:
        super().__init__()
        if bands > window // 4 or min(rate, bands, hop) < 1:
            raise ModelError(f"LogMel needs at most window / 4 bands and positive sizes, got {bands} of {window}")
        self.window, self.hop = window, hop
        self.register_buffer("shape", torch.hann_window(window), persistent=False)
        filters = torch.from_numpy(mel_filters(rate, bands, window)).float()
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        """Frames are centred; the ends are filled up with silence."""
        shape, filters = self.get_buffer("shape"), self.get_buffer("filters")
        spectrum = torch.stft(
            waves, self.window, self.hop, window=shape, center=True, pad_mode="constant", return_complex=True
        )
        power = spectrum.real**2 + spectrum.imag**2
        return torch.log(filters @ power + FLOOR)


def mel_filters(rate: int, bands: int, window: int) -> NDArray[np.float64]:
    """Triangles (bands, window // 2 + 1), evenly spaced in mel = 2595 log10(1 + f / 700) from 0 to rate / 2."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 1400), bands + 2) / 2595) - 1)
    at = np.linspace(0, rate / 2, window // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.asarray(np.maximum(0, np.minimum((at - low) / (centre - low), (high - at) / (high - centre))))
