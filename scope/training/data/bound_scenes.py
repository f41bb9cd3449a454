"""Scenes with what each of their cells is to show, drawn and encoded once, to be noised many times.

Crowded scenes teach drawing: up to a dozen things, each of its own noun, colour and style. Composed scenes are those
that prompts ask for, of one style. Nouns of `catalogue.HELD_OUT_NOUNS` are in none of them, and nothing else that is
held out. A cache is a pure function of its arguments and of the tokenizer's weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scope.generators.references import reference_of, reference_pixels
from scope.models.regions import REFERENCE, Regions, mean_states, symbol
from scope.models.text_encoder import STATE_DIM
from scope.nn.images import to_tensor
from scope.nn.transformer import to_tokens
from scope.specification.placements import MOST_REGIONS
from scope.tokenizers.base import Autoencoder
from scope.training.data.cluttered_scenes import EQUAL_VENDORS, Clutter, ClutteredScene, cluttered_scene, of_world
from scope.worlds.pocket import compose, sample_whole
from scope.worlds.pocket.catalogue import (
    COLOR_NAMES,
    HELD_OUT_NOUNS,
    MAX_LETTERS,
    NOUNS,
    SETTING_NAMES,
    STYLES,
    VENDORS,
)
from scope.worlds.pocket.rng import Rng
from scope.worlds.pocket.sign import FONTS, letter_boxes
from scope.worlds.pocket.sprites import SIZE, sprite

_BATCH = 64
_REFERENCE_P, _UNNAMED_P = 0.12, 0.7  # of a thing to come with a picture of it, and of such a thing to have no phrase
TRAINED_NOUNS = tuple(noun for noun in NOUNS if noun not in HELD_OUT_NOUNS)
#: What a binding tells apart, kind by kind (models/binding.py).
_KINDS = {
    "nouns": (*TRAINED_NOUNS, "sign"), "looks": COLOR_NAMES, "styles": tuple(style.name for style in STYLES.values()),
    "settings": SETTING_NAMES,
}  # fmt: skip
_CROWD = Clutter(EQUAL_VENDORS, TRAINED_NOUNS, sign_p=0.3, tones=False, fonts=FONTS[:1])


@cache
def phrases() -> tuple[str, ...]:
    """Return all that is said of regions, by whose numbers a cache names it; "" is the first."""
    return ("", *(phrase for kind in _KINDS.values() for phrase in kind))


@cache
def _numbers() -> dict[str, int]:
    return {phrase: number for number, phrase in reversed(list(enumerate(phrases())))}


@cache
def phrase_table() -> Tensor:
    """Return the mean token states of all phrases, (phrases, 384)."""
    states = mean_states(phrases()[1:])
    return torch.cat([torch.zeros(1, STATE_DIM), states])


def words() -> dict[str, Tensor]:
    """Return the states of all words of a kind, by which a binding tells them apart."""
    table, numbers = phrase_table(), _numbers()
    return {kind: table[[numbers[phrase] for phrase in said]] for kind, said in _KINDS.items()}


@lru_cache(maxsize=16_384)
def pictured(phrase: str, look: str, style: str) -> Tensor:
    """Return the drawing of a thing as a reference, in bytes, as REFERENCE is shaped."""
    vendor = next((name for name, known in STYLES.items() if known.name == style), VENDORS[0])
    rgb, alpha = sprite(phrase, look or None, REFERENCE[1:], vendor)
    return torch.from_numpy(reference_pixels(rgb, alpha))


@dataclass(frozen=True)
class BoundScenes:
    """Latents (n, cells, d) in half precision; of each region its phrase, look and style by number, and its box.

    A phrase of 0 is no region, a letter of 0 no letter.
    """

    latents: Tensor
    phrases: Tensor  # (n, 16)
    looks: Tensor  # (n, 16)
    styles: Tensor  # (n, 16)
    boxes: Tensor  # (n, 16, 4), shares of the picture
    setting: Tensor  # (n,)
    letters: Tensor  # (n, 10)
    letter_boxes: Tensor  # (n, 10, 4)

    def __len__(self) -> int:
        return len(self.latents)

    def tokens(self, chosen: Tensor) -> Tensor:
        """Return the latents of these scenes (b, n, d)."""
        return self.latents[chosen].float()

    def condition(self, chosen: Tensor, noise: torch.Generator) -> Regions:
        """Return what these scenes are drawn from: all of their regions, some of their things by a picture."""
        regions, said = self.regions(chosen), phrases()
        shown = torch.rand(regions.mask.shape, generator=noise) < _REFERENCE_P
        unnamed = torch.rand(regions.mask.shape, generator=noise) < _UNNAMED_P
        references = torch.zeros(*regions.mask.shape, *REFERENCE)
        for i, j in shown.nonzero().tolist():
            phrase, look, style = (said[kind[chosen[i], j]] for kind in (self.phrases, self.looks, self.styles))
            if phrase in NOUNS:
                references[i, j] = reference_of(pictured(phrase, look, style))
                if unnamed[i, j]:
                    regions.phrases[i, j], regions.looks[i, j] = 0, 0
        return replace(regions, references=references)

    def regions(self, chosen: Tensor) -> Regions:
        """Return what these scenes are asked to show."""
        table, numbers, letters = phrase_table(), self.phrases[chosen].long(), self.letters[chosen].long()
        r, n = max(1, int((numbers > 0).sum(1).max())), int((letters > 0).sum(1).max())
        looks, styles = (table[kind[chosen, :r].long()] for kind in (self.looks, self.styles))
        return Regions(
            table[numbers[:, :r]], looks, styles, self.boxes[chosen, :r].float(), numbers[:, :r] > 0,
            table[self.setting[chosen].long()], letters[:, :n], self.letter_boxes[chosen, :n].float(),
            letters[:, :n] > 0,
        )  # fmt: skip


def sample_scene(rng: Rng, crowd_p: float, seed: tuple[int, ...]) -> ClutteredScene:
    """Draw one scene: a crowd, or what a prompt may ask for."""
    if rng.random() < crowd_p:
        return cluttered_scene(rng, _CROWD)
    plan = sample_whole(rng, "train", TRAINED_NOUNS)
    groups = tuple(replace(group, tone=None) for group in plan.groups)
    return of_world(compose(replace(plan, groups=groups, font=FONTS[0]), seed))


def described(scene: ClutteredScene) -> dict[str, Tensor]:
    """Return the fields of a scene in a cache, but for its latents."""
    number, r = _numbers(), MOST_REGIONS
    fields = {name: torch.zeros(r, dtype=torch.int16) for name in ("phrases", "looks", "styles")} | {
        "boxes": torch.zeros(r, 4), "setting": torch.tensor(number[scene.setting], dtype=torch.int16),
        "letters": torch.zeros(MAX_LETTERS, dtype=torch.uint8), "letter_boxes": torch.zeros(MAX_LETTERS, 4),
    }  # fmt: skip
    signs = [("sign", "", "", scene.sign.xyxy_px)] if scene.sign else []
    things = [(o.noun, o.color or "", style_of(o.style), o.xyxy_px) for o in scene.objects]
    for i, (*said, xyxy) in enumerate([*signs, *things][:r]):
        fields["phrases"][i], fields["looks"][i], fields["styles"][i] = (number[word] for word in said)
        fields["boxes"][i] = torch.tensor(xyxy) / SIZE
    if scene.sign is not None:
        placed = letter_boxes(scene.sign.text, scene.sign.xyxy_px)
        for i, (character, box) in enumerate(placed):
            fields["letters"][i], fields["letter_boxes"][i] = symbol(character), torch.tensor(box) / SIZE
    return fields


def style_of(vendor: str | None) -> str:
    """Return what the style of a vendor is called; of the world's usual one, nothing."""
    return STYLES[vendor].name if vendor in STYLES else ""


def build(tokenizer: Autoencoder, count: int, seed: int, crowd_p: float, where: torch.device) -> BoundScenes:
    """Draw and encode `count` scenes."""
    latents, fields = list[Tensor](), list[dict[str, Tensor]]()
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        scenes = [sample_scene(np.random.default_rng((seed, i, 7)), crowd_p, (seed, i)) for i in numbers]
        fields += [described(scene) for scene in scenes]
        latents.append(encoded(tokenizer, [scene.image for scene in scenes], where))
        if start % (64 * _BATCH) == 0:
            print(f"scenes: {start} of {count}", flush=True)
    return _gathered(torch.cat(latents), fields)


def regions_of(scenes: Sequence[ClutteredScene]) -> Regions:
    """Return what scenes show, as regions."""
    fields = [described(scene) for scene in scenes]
    return _gathered(torch.zeros(len(scenes), 0, 0), fields).regions(torch.arange(len(scenes)))


def _gathered(latents: Tensor, fields: Sequence[dict[str, Tensor]]) -> BoundScenes:
    return BoundScenes(latents, **{name: torch.stack([f[name] for f in fields]) for name in fields[0]})


@torch.no_grad()
def encoded(tokenizer: Autoencoder, images: list[NDArray[np.uint8]], where: torch.device) -> Tensor:
    """Return the latents (b, cells, d) of pictures, in half precision."""
    return to_tokens(tokenizer.encode(to_tensor(images, where))).half().cpu()


def load_or_build(
    path: Path, tokenizer: Autoencoder, count: int, seed: int, crowd_p: float, where: torch.device
) -> BoundScenes:
    """Return a cache, built on the first call and read from `path` on the next."""
    if path.exists():
        return BoundScenes(**torch.load(path, weights_only=True))
    scenes = build(tokenizer, count, seed, crowd_p, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(scenes), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return scenes
