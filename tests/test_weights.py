"""The weights that ship: they are what the manifest says, they draw, they judge, and they are refused when damaged."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from scope.benchmarks.tasks import Words, bound, prompts
from scope.errors import WeightsError
from scope.generators import flow, ntm
from scope.generators.layouts import load_layouts
from scope.models.bound_dit import BoundDiT
from scope.nn.weights import fill, read
from scope.parsing.grammar import Grammar
from scope.protocols import Generator, Verifier
from scope.skills.bind import request_of
from scope.specification import Edit, ImageFile, Type
from scope.verifiers import objects
from scope.weights import expected, weights_path
from scope.worlds.pocket import caption, compose, sample, specification
from scope.worlds.pocket.catalogue import CORE_SETTINGS, HELD_OUT_NOUNS, NOUNS
from scope.worlds.pocket.sampling import single_object

pytestmark = pytest.mark.weights
TRAINED = tuple(noun for noun in NOUNS if noun not in HELD_OUT_NOUNS)
#: The pair of policies at which alignment starts, in a checkout alone: what the weights in its place were then.
START = ("alignment_start_flow", "alignment_start_layout")
NAMES = ("binding", "detector", "features", "flow", "judge", "lapped", "layout", "ntm", "pae", "reward")


@pytest.fixture(scope="module", params=[flow, ntm], ids=["flow", "ntm"])
def generator(request: pytest.FixtureRequest) -> Generator:
    loaded: Generator = request.param.load()
    return loaded


@pytest.fixture(scope="module")
def verifier() -> objects.ObjectsVerifier:
    return objects.load()


def test_the_manifest_names_every_file_and_each_has_a_card():
    folder = files("scope.weights")
    stems = {f.name.removesuffix(".safetensors") for f in folder.iterdir() if f.name.endswith(".safetensors")}
    assert set(expected()) == set(NAMES)
    assert stems == {*NAMES, *START}
    for name in NAMES:
        card = (folder / f"{name}.md").read_text()
        assert all(word in card for word in ("command", "hardware", "licence", "Weak"))


def test_all_weights_together_are_small():
    assert sum(weights_path(name).stat().st_size for name in (*NAMES, *START)) <= 60e6


def test_alignment_can_start_from_its_pair():
    pair, card = [weights_path(name) for name in START], weights_path("alignment_start").with_suffix(".md").read_text()
    assert all(word in card for word in ("command", "first six", "text", "licence"))
    generator = flow.load(weights=pair[0])
    generator.layouts = load_layouts(pair[1])
    request = request_of(Grammar().decompose("a red apple"), seed=1)
    assert generator.layouts is not None
    (region,) = generator.layouts.placed(request).regions
    assert region.phrase == "red apple"
    assert generator.generate([request])[0].image.width >= 128


def test_they_fill_the_protocols(generator, verifier):
    assert isinstance(generator, Generator)
    assert isinstance(verifier, Verifier)
    assert set(generator.weights) == {generator.name, "binding", "lapped", "layout"}


def test_same_request_same_picture_in_any_batch(generator):
    specs = [Grammar().decompose(p) for p in ("a red apple", "a blue car on a beach")]
    requests = [request_of(s, seed=3).model_copy(update={"steps": 4}) for s in specs]
    alone = [generator.generate([r])[0].image.tobytes() for r in requests]
    together = [p.image.tobytes() for p in generator.generate(requests)]
    assert alone == together
    other = requests[0].model_copy(update={"seed": 4})
    assert generator.generate([other])[0].image.tobytes() != alone[0]


def test_every_step_is_told(generator):
    told: list[tuple[int, int]] = []
    request = request_of(Grammar().decompose("a red apple"), seed=0).model_copy(update={"steps": 4})
    generator.generate([request], lambda done, total: told.append((done, total)))
    assert told == [(i, 4) for i in range(1, 5)]


def test_the_default_draws_in_four_steps(generator):
    told: list[int] = []
    request = request_of(Grammar().decompose("a red apple"), seed=0)
    generator.generate([request], lambda done, total: told.append(total))
    assert set(told) == {4 if generator.name == "ntm" else flow.STEPS}


def test_the_detector_meets_nearly_every_commitment_of_true_scenes(verifier):
    """The full figure is results/verifiers.json; this is its floor on 40 scenes of training's own kind."""
    random, met = np.random.default_rng(9), []
    for i in range(40):
        plan = sample(random, "held_out", NOUNS)
        spec = specification(plan)
        asked = [c for c in spec.commitments if verifier.handles(c)]
        verdicts = verifier.check(Image.fromarray(compose(plan, (9, i)).image), asked, spec)
        met += [v.outcome == "met" for v in verdicts]
    assert np.mean(met) > 0.9


@pytest.mark.slow
def test_things_of_held_out_pairs_are_found(generator, verifier):
    """The full figures are in results/generators.json."""
    found, random = 0, np.random.default_rng(3)
    for seed in range(100):
        spec = Grammar().decompose(caption(single_object(random, "held_out", TRAINED), random).text)
        (picture,) = generator.generate([bound(spec, 900 + seed)])
        found += verifier.check(picture.image, spec.of(Type.PRESENCE), spec)[0].outcome == "met"
    assert found >= 85


def test_a_picture_that_starts_from_a_draft_stays_nearer_to_it(generator, tmp_path):
    request = bound(Grammar().decompose("a red apple on a beach"), 1)
    draft = generator.generate([request])[0].image
    draft.save(tmp_path / "d1.png")
    edit = Edit(image=ImageFile(path=str(tmp_path / "d1.png"), sha256=""), strength=0.3)

    def distance(seed: int, edit: Edit | None) -> float:
        changed = request.model_copy(update={"seed": seed, "edit": edit})
        other = generator.generate([changed])[0].image
        return float(np.abs(np.asarray(other, float) - np.asarray(draft, float)).mean())

    for seed in (2, 3):
        assert 0 < distance(seed, edit) < distance(seed, None)


@pytest.mark.slow
def test_settings_are_drawn_as_asked(generator, verifier):
    """The full figures are in results/generators.json; guessing one of the settings would meet one in twenty."""
    met, random = 0, np.random.default_rng(3)
    for seed, name in enumerate(n for n in CORE_SETTINGS if n != "plain"):
        plan = replace(single_object(random, "train"), setting=name)
        spec = Grammar().decompose(caption(plan, random).text)
        (picture,) = generator.generate([bound(spec, seed)])
        met += verifier.check(picture.image, spec.of(Type.SETTING), spec)[0].outcome == "met"
    assert met >= 9


def test_likelihood_prefers_what_the_picture_shows():
    """Half would be by chance."""
    model, right = ntm.load(), 0
    asked = prompts("two_object", Words.of([model.vocabulary]), 8, seed=5)
    for i, prompt in enumerate(asked):
        image, other = prompt.true_scene(), asked[(i + 1) % len(asked)]
        own, others = (model.log_likelihood(image, p.bound_request).nats for p in (prompt, other))
        right += own > others
    assert right >= 7


def test_a_request_without_regions_is_laid_out_from_its_prompt(generator):
    request = request_of(Grammar().decompose("three yellow stars at night"), seed=1)
    placed = generator.layouts.placed(request)
    assert not request.regions
    assert placed.regions
    assert {region.commitments for region in placed.regions} == {("e1",)}
    pictures = generator.generate([request, placed])
    assert pictures[0].image.tobytes() == pictures[1].image.tobytes()


def test_the_tokenizer_reconstructs_true_scenes(generator):
    random = np.random.default_rng(4)
    scenes = np.stack([compose(sample(random, "held_out"), i).image for i in range(16)])
    images = torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        decoded = generator.tokenizer.decode(generator.tokenizer.encode(images))
    psnr = 10 * torch.log10(4 / (decoded - images).square().mean())
    assert psnr > 29


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped", "nan", "other model"])
def test_damaged_weights_are_refused_in_one_line(damage, tmp_path):
    path = tmp_path / "detector.safetensors"
    good = weights_path("detector").read_bytes()
    sha256: str | None = expected()["detector"]
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "truncated":
        path.write_bytes(good[: len(good) // 2])
        sha256 = None  # even where no hash is known
    elif damage == "flipped":
        path.write_bytes(good[:-5] + bytes([good[-5] ^ 1]) + good[-4:])
    elif damage == "nan":
        tensors = load_file(weights_path("detector"))
        tensors["head.bias"][0] = float("nan")
        save_file(tensors, path)
        sha256 = None
    elif damage == "other model":
        path.write_bytes(good)
    with pytest.raises(WeightsError) as refused:
        fill(BoundDiT(128), read(path, sha256), "detector")
    assert "\n" not in str(refused.value)


def test_the_manifest_is_plain_json():
    raw = json.loads((files("scope.weights") / "manifest.json").read_text())
    assert all(len(sha256) == 64 for sha256 in raw.values())
