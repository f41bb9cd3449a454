"""From a request to what cells hear, and how a draft and what is drawn anew become one picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scope.errors import UsageError
from scope.generators import editing
from scope.generators.canvas import heard, side_of
from scope.generators.references import opened
from scope.generators.region_words import named, region_request
from scope.models.binding import Binding
from scope.models.regions import REFERENCE, Letter, Thing
from scope.nn import paths, samplers
from scope.nn.transformer import to_tokens
from scope.specification import Box, Edit, ImageFile, Reference, Region, Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import preset
from scope.worlds.pocket.catalogue import COLOR_NAMES, HELD_OUT_NOUNS, NOUNS

CPU = torch.device("cpu")


def region(name: str, phrase: str, box: tuple[int, int, int, int], text: str = "") -> Region:
    return Region(id=name, commitments=(name.partition("#")[0],), phrase=phrase, text=text, box=Box(box))


# -- what is heard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "noun", "color"),
    [
        ("Red automobile", "car", "red"),
        ("three blue automobiles", "car", "blue"),
        ("two Teddy Bears", "teddy bear", ""),
        ("teddies", "teddy bear", ""),
        ("a big green apple", "apple", "green"),
        ("orange", "orange", ""),
        ("an orange orange", "orange", "orange"),
        ("an orange", "orange", ""),
        ("people", "person", ""),
        ("a Quasar", "a Quasar", ""),
        ("apple of my quasar", "apple of my quasar", ""),
        ("", "", ""),
    ],
)
def test_a_phrase_is_said_as_the_world_says_it_where_the_world_knows_it(phrase: str, noun: str, color: str) -> None:
    assert named(phrase) == (noun, color)


def test_what_the_world_says_itself_stays_as_it_is() -> None:
    for noun in NOUNS:
        assert named(noun) == (noun, "")
        assert [named(f"{color} {noun}") for color in COLOR_NAMES] == [(noun, color) for color in COLOR_NAMES]


def test_each_region_is_a_thing_in_its_place_and_in_the_style_of_the_whole() -> None:
    request = Request(
        text="two things", setting="beach", style="flat",
        regions=(region("e1#1", "red automobile", (100, 200, 300, 450)), region("e2#1", "dog", (0, 0, 1000, 1000))),
    )  # fmt: skip
    asked = region_request(request)
    assert asked.things == (
        Thing("car", (0.2, 0.1, 0.45, 0.3), "red", "flat"),
        Thing("dog", (0.0, 0.0, 1.0, 1.0), "", "flat"),
    )  # x first
    assert (asked.letters, asked.setting) == ((), "beach")
    assert region_request(Request(text="nothing")).setting == "plain"


def test_words_are_letters_on_a_sign_of_no_style() -> None:
    request = Request(
        text="a board", regions=(region("t1#1", "wooden board", (500, 250, 750, 1000), "GO UP"),), style="3-D"
    )
    asked = region_request(request)
    assert asked.things == (Thing("sign", (0.25, 0.5, 1.0, 0.75)),)
    assert [letter.character for letter in asked.letters] == ["G", "O", "U", "P"]
    for letter in asked.letters:
        x0, y0, x1, y1 = letter.box
        assert 0.25 <= x0 < x1 <= 1.0
        assert 0.5 <= y0 < y1 <= 0.75
    assert [letter.box[0] for letter in asked.letters] == sorted(letter.box[0] for letter in asked.letters)
    assert isinstance(asked.letters[0], Letter)


def test_cells_hear_the_regions_of_the_request_and_without_any_the_setting_alone() -> None:
    binding = Binding(8, d=2, wide=8).requires_grad_(False)
    request = Request(text="a dog", regions=(region("e1#1", "dog", (0, 500, 1000, 1000)),))
    right, nothing = heard(request, None, binding), heard(Request(text="a dog"), None, binding)
    moved = (right.x_0 - nothing.x_0)[0].abs().amax(-1).view(8, 8) > 1e-6
    assert moved[:, 4:].all()
    assert not moved[:, :4].any()


# -- references ----------------------------------------------------------------------------------


def shown(tmp_path: Path, picture: Image.Image, commitment: str = "e1") -> Reference:
    picture.save(tmp_path / "mascot.png")
    return Reference(path=str(tmp_path / "mascot.png"), sha256="", commitment=commitment)


def mascot(ground: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    picture = Image.new(mode, (120, 80), ground)
    picture.paste((200, 30, 40, 255)[: len(mode)], (40, 20, 80, 60))
    return picture


@pytest.mark.parametrize(
    "picture",
    [mascot((255, 255, 255)), mascot((20, 90, 30)), mascot((0, 0, 0, 0), "RGBA")],
    ids=["white", "green", "clear"],
)
def test_a_reference_is_the_thing_and_not_its_ground(picture: Image.Image, tmp_path: Path) -> None:
    found = opened(shown(tmp_path, picture))
    assert found.shape == REFERENCE
    assert torch.allclose(found[:, 16, 16], torch.tensor([200, 30, 40, 255]) / 255 * 2 - 1, atol=0.01)
    assert found[3, 0].max() == 0  # a margin
    assert 0.7 < float(found[3].mean()) < 1
    assert not found[:3, 0].any()


def test_a_reference_joins_a_noun_that_is_known_and_stands_for_another(tmp_path: Path) -> None:
    file = shown(tmp_path, mascot((255, 255, 255)))
    for phrase, said in (("red dog", "dog"), ("the mascot", ""), (f"a {sorted(HELD_OUT_NOUNS)[0]}", "")):
        regions = (region("e1#1", phrase, (0, 0, 500, 500)), region("e2#1", "cat", (0, 500, 500, 1000)))
        first, second = region_request(Request(text=phrase, regions=regions, references=(file,))).things
        assert first.phrase == said
        assert first.reference is not None
        assert (second.phrase, second.reference) == ("cat", None)
        alone = region_request(Request(text=phrase, regions=regions)).things[0]
        assert (alone.phrase, alone.reference) == (said, None)  # a noun that it never learnt would be drawn as noise


def test_a_reference_that_is_no_picture_or_shows_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"text\.png cannot be read as a picture"):
        opened(ImageFile(path=str(tmp_path / "text.png"), sha256=""))
    with pytest.raises(UsageError, match="shows nothing"):
        opened(shown(tmp_path, Image.new("RGB", (50, 50), (9, 9, 9))))


# -- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "side"), [((None, None), 256), ((128, None), 128), ((None, 256), 256), ((256, 256), 256)]
)
def test_the_sizes_that_are_drawn(size: tuple[int | None, int | None], side: int) -> None:
    assert side_of(Request(text="a dog", width=size[0], height=size[1])) == side


@pytest.mark.parametrize("size", [(128, 256), (512, 512), (64, None)])
def test_another_size_is_refused_by_name(size: tuple[int, int | None]) -> None:
    with pytest.raises(UsageError, match=rf"draw 128x128 or 256x256 pixels, and not {size[0]}x{size[1] or size[0]}"):
        side_of(Request(text="a dog", width=size[0], height=size[1]))


# -- drafts --------------------------------------------------------------------------------------


def noisy(seed: int, side: int = 128) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def draft(white: tuple[int, int, int, int] | None = (32, 48, 80, 96)) -> editing.Draft:
    """A draft of noise on 8 x 8 cells of two numbers, white in a box of whole cells."""
    x_0 = torch.randn(1, 64, 2, generator=torch.Generator().manual_seed(0))
    if white is None:
        return editing.Draft(noisy(0), x_0, None, None)
    mask = Image.new("L", (128, 128))
    mask.paste(255, white)
    changes = torch.from_numpy(np.asarray(mask)[::16, ::16] > 0).flatten()
    return editing.Draft(noisy(0), x_0, changes, mask)


@pytest.fixture(scope="module")
def tokenizer() -> Autoencoder:
    torch.manual_seed(0)
    return preset("tiny").eval().requires_grad_(False)


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("sampler", [samplers.euler, samplers.heun])
def test_cells_that_stay_end_at_the_drafts_own_whatever_moves_the_others(
    strength: float, sampler: samplers.Sampler
) -> None:
    given = draft()
    assert given.changes is not None
    noise = torch.randn(1, 64, 2, generator=torch.Generator().manual_seed(1))
    x = paths.add_noise(given.x_0, noise, torch.tensor([strength]))
    times = samplers.times(7, 3.0) * strength

    def anywhere(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(5 * x_t) + 3 * t[:, None, None]

    free, held = (sampler(field, x, times, None) for field in (anywhere, editing.held(anywhere, given)))
    stays = ~given.changes
    assert torch.allclose(held[:, stays], given.x_0[:, stays], atol=1e-5)
    assert torch.allclose(held[:, ~stays], free[:, ~stays], atol=1e-5)
    assert not torch.allclose(free[:, stays], given.x_0[:, stays], atol=0.1)


def test_without_a_mask_every_cell_may_move_and_the_new_picture_is_the_picture() -> None:
    whole = draft(None)

    def field(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x_t

    assert editing.held(field, whole) is field
    new = noisy(1)
    assert editing.joined(whole, new) is new


@pytest.mark.parametrize("scale", [1, 2])
def test_far_from_the_mask_the_draft_is_left_to_the_pixel_and_deep_in_it_all_is_new(scale: int) -> None:
    given, new = draft(), noisy(1, 128 * scale)
    old = np.asarray(given.picture.resize(new.size), int)
    found = np.asarray(editing.joined(given, new), int)
    assert found.shape == (128 * scale, 128 * scale, 3)
    x0, y0, x1, y1 = (scale * v for v in (32, 48, 80, 96))
    far = np.ones(found.shape[:2], bool)
    far[y0 - 12 : y1 + 12, x0 - 12 : x1 + 12] = False
    assert np.array_equal(found[far], old[far])
    deep = slice(y0 + 8, y1 - 8), slice(x0 + 8, x1 - 8)
    assert np.array_equal(found[deep], np.asarray(new, int)[deep])
    low, high = np.minimum(old, np.asarray(new)), np.maximum(old, np.asarray(new))
    assert ((found >= low - 1) & (found <= high + 1)).all()  # between, a mixture


def test_a_cell_may_change_where_any_part_of_it_is_white(tokenizer: Autoencoder, tmp_path: Path) -> None:
    noisy(0).save(tmp_path / "draft.png")
    mask = Image.new("L", (256, 256))  # of any size
    mask.paste(255, (0, 0, 6, 6))  # a corner of the first cell
    mask.paste(255, (2 * 60, 2 * 40, 2 * 70, 2 * 42))  # across two cells of the third row
    mask.save(tmp_path / "mask.png")
    edit = Edit(
        image=ImageFile(path=str(tmp_path / "draft.png"), sha256=""),
        mask=ImageFile(path=str(tmp_path / "mask.png"), sha256=""),
    )
    found = editing.opened(edit, tokenizer, CPU)
    assert found.changes is not None
    assert found.changes.nonzero().flatten().tolist() == [0, 2 * 8 + 3, 2 * 8 + 4]
    pixels = torch.from_numpy(np.array(noisy(0))).permute(2, 0, 1)[None].float() / 127.5 - 1
    assert torch.allclose(found.x_0, to_tokens(tokenizer.encode(pixels)), atol=1e-5)
    assert np.array_equal(np.asarray(found.picture), np.asarray(noisy(0)))
    whole = editing.opened(edit.model_copy(update={"mask": None}), tokenizer, CPU)
    assert whole.changes is whole.mask is None
