"""What NTM asks of a network that sees noisy tokens and text: `scope.models.dit`, `scope.models.diffusers_backbone`."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from scope.models.text_encoder import Conditioning


@dataclass
class BackboneOutput:
    """What a backbone makes of noisy tokens."""

    x_0: Tensor  # (b, n, d): the clean tokens
    hidden: Tensor  # (b, n, dim): the last tokens, from which x_0 is read


@runtime_checkable
class Backbone(Protocol):
    """A network with `dim` numbers a hidden token."""

    dim: int

    def __call__(
        self,
        x_t: Tensor,
        t: Tensor,
        text: Conditioning,
        cond_mask: Tensor | None = None,
        extra_cond: Tensor | None = None,
    ) -> BackboneOutput:
        """Predict x_0 of tokens x_t (b, n, d) at times t (b,).

        Where `cond_mask` (b,) is False the text is not read. `extra_cond` (b, dim) joins the embedding of the time:
        what else a network that is built on this one must know.
        """
        ...
