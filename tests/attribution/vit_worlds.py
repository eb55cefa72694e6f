"""Small vision transformers as the libraries build them, and one whose evidence is known."""

from __future__ import annotations

import torch
from torch import nn

PATCH, WIDTH, GRID = 4, 16, 4


class TorchViT(nn.Module):
    """As torchvision: a convolution cuts the patches, a class token, learnt places, layers of attention."""

    def __init__(self, channels: int = 1, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv_proj = nn.Conv2d(channels, WIDTH, PATCH, PATCH)
        self.class_token = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.1)
        self.pos_embedding = nn.Parameter(torch.randn(1, GRID**2 + 1, WIDTH) * 0.1)
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.heads = nn.Linear(WIDTH, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.conv_proj(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), tokens], dim=1)
        return self.heads(self.encoder(tokens + self.pos_embedding)[:, 0])


class _Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.projection = nn.Conv2d(1, WIDTH, PATCH, PATCH)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.projection(pixel_values).flatten(2).transpose(1, 2)


class _Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch_embeddings, self.dropout = _Patches(), nn.Dropout(0.1)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.position_embeddings = nn.Parameter(torch.randn(1, GRID**2 + 1, WIDTH) * 0.1)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embeddings(pixel_values)
        whole = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        return self.dropout(whole + self.position_embeddings)


class FolderViT(nn.Module):
    """As the transformers library: embeddings.patch_embeddings.projection, layers, a norm, the first token's head."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embeddings, self.layernorm = _Embeddings(), nn.LayerNorm(WIDTH)
        self.layer = nn.ModuleList(nn.TransformerEncoderLayer(WIDTH, 2, 32, 0.1, batch_first=True) for _ in range(2))
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        hidden = self.embeddings(pixel_values)
        for layer in self.layer:
            hidden = layer(hidden)
        return self.classifier(self.layernorm(hidden)[:, 0])


class AddsPatches(nn.Module):
    """The logit of each class is a weighted sum of its patches' means: what a token gives is known exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, 1, PATCH, PATCH, bias=False)
        nn.init.constant_(self.cut.weight, 1 / PATCH**2)
        self.register_buffer("weights", torch.arange(GRID**2, dtype=torch.float32) - 5)
        self.sequence = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.sequence(self.cut(x).flatten(2).transpose(1, 2))
        score = (tokens[:, :, 0] * self.get_buffer("weights")).sum(dim=1)
        return torch.stack([score, -score, 0 * score], dim=1)
