"""What NTM asks of a network that sees noisy tokens and a condition.

`scope.models.bound_dit` reads what cells hear; `scope.models.dit` and `scope.models.diffusers_backbone` read texts.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@runtime_checkable
class Condition(Protocol):
    """What a backbone reads beside the states, for a batch: texts, or what cells hear."""

    def to(self, device: torch.device, /) -> Any:
        """Move to a device."""

    def repeat(self, times: int, /) -> Any:
        """Return the batch `times` over."""


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
        condition: Any,  # the `Condition` that this network reads
        /,
        cond_mask: Bool[Tensor, " b"] | None = None,
        extra_cond: Float[Tensor, "b dim"] | None = None,
    ) -> BackboneOutput:
        """Predict x_0 of tokens x_t at times t.

        Where `cond_mask` is False the condition is not read. `extra_cond` joins the embedding of the time:
        what else a network that is built on this one must know.
        """
        ...
