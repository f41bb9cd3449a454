"""What NTM asks of a network that sees noisy tokens and text: `scope.models.dit`, `scope.models.diffusers_backbone`."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from scope.models.text_encoder import Conditioning


@dataclass
class BackboneOutput:
    """What a backbone makes of noisy tokens."""

    x_0: Float[Tensor, "b n d"]  # the clean tokens
    hidden: Float[Tensor, "b n dim"]  # the last tokens, from which x_0 is read


@runtime_checkable
class Backbone(Protocol):
    """A network with `dim` numbers a hidden token."""

    dim: int

    def __call__(
        self,
        x_t: Float[Tensor, "b n d"],
        t: Float[Tensor, " b"],
        text: Conditioning,
        cond_mask: Bool[Tensor, " b"] | None = None,
        extra_cond: Float[Tensor, "b dim"] | None = None,
    ) -> BackboneOutput:
        """Predict x_0 of tokens x_t at times t.

        Where `cond_mask` is False the text is not read. `extra_cond` joins the embedding of the time:
        what else a network that is built on this one must know.
        """
        ...
