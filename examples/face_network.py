"""O-Net, the last stage of MTCNN (Zhang et al., IEEE Signal Processing Letters 2016): is this crop of 48 x 48 a face?

Layer sizes and names are those of the weights that the package facenet-pytorch ships. `examples/faces.py` copies this
file beside its audit.toml as model.py.
"""

from __future__ import annotations

import torch
from torch import nn


class ONet(nn.Module):
    """Pictures (n, 3, 48, 48) in 0..1 as the logits (n, 2) of "no face" and "face"."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.pool3, self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 2, ceil_mode=True)
        self.dense5, self.prelu5 = nn.Linear(128 * 3 * 3, 256), nn.PReLU(256)
        self.dense6_1 = nn.Linear(256, 2)  # face or not
        self.dense6_2 = nn.Linear(256, 4)  # corrections to the box
        self.dense6_3 = nn.Linear(256, 10)  # five landmarks

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.dense6_1(self._seen(pictures)))

    def landmarks(self, pictures: torch.Tensor) -> torch.Tensor:
        """Eyes, nose and corners of the mouth as shares of the side: x and y, shape (n, 5, 2)."""
        return torch.as_tensor(self.dense6_3(self._seen(pictures)).reshape(-1, 2, 5).transpose(1, 2))

    def _seen(self, pictures: torch.Tensor) -> torch.Tensor:
        x = (255 * pictures - 127.5) / 128
        x = self.pool3(self.prelu1(self.conv1(x)))
        x = self.pool3(self.prelu2(self.conv2(x)))
        x = self.pool2(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.conv4(x))
        # the weights were trained where width comes before height
        return torch.as_tensor(self.prelu5(self.dense5(x.permute(0, 3, 2, 1).flatten(1))))


def build() -> ONet:
    return ONet()
