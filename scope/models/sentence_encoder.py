"""One unit vector a text: the mean of its MiniLM token states. For search, where a gist is enough."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from scope.models.text_encoder import STATE_DIM, TextInput, encode

#: Names these vectors in what is stored: vectors of another encoder are never mixed with them.
ENCODER = "minilm-l6-v2/mean/64"

_BATCH = 64


@torch.no_grad()
def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the unit vectors (n, 384) of n texts; only the first 64 tokens of each are read."""
    vectors = np.zeros((len(texts), STATE_DIM), np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # texts of one length waste no padding
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        coded = encode([TextInput(texts[i]) for i in chosen])
        mask = coded.mask.unsqueeze(-1)
        mean = (coded.hidden_states * mask).sum(1) / mask.sum(1)
        vectors[chosen] = torch.nn.functional.normalize(mean, dim=1).numpy()
    return vectors
