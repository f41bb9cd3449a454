"""The generator NTM and its training at tiny size: pictures and their likelihood, presets, what is refused."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import phrases
import pytest
import tiny
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from scope.errors import ImageError, ScopeError, UsageError, WeightsError
from scope.generators import ntm as generators
from scope.generators.canvas import Frozen
from scope.generators.ntm import PRESETS, NTMGenerator, Shape, build, predictor
from scope.models import diffusers_backbone
from scope.models.binding import Binding, Heard
from scope.models.bound_dit import BoundDiT
from scope.models.text_encoder import Conditioning
from scope.nn.transformer import parameter_count
from scope.nn.weights import fill, read, write
from scope.protocols import Generator
from scope.specification import Edit, ImageFile, Request
from scope.testing.fakes import FakeGenerator, FakeReader
from scope.tokenizers import lapped
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import preset
from scope.training.data import bound_scenes
from scope.training.loop import Run
from scope.training.recipes import ntm as trainer
from scope.weights import read_metadata

APPLE = tiny.request_for("red apple")


@pytest.fixture(scope="module")
def tokenizer() -> Autoencoder:
    return tiny.tokenizer_of()


@pytest.fixture(scope="module")
def generator(tokenizer: Autoencoder) -> NTMGenerator:
    return generator_of(model_of(), tokenizer)


def generator_of(model: generators.NTM, tokenizer: Autoencoder, decoder: str = "distilled") -> NTMGenerator:
    return NTMGenerator(model, tiny.binding_of(), tokenizer, {"ntm": "ab" * 32}, decoder=decoder)


def model_of() -> generators.NTM:
    """A model whose zero-initialised heads speak."""
    model = tiny.spoken(build(PRESETS["tiny"]))
    assert isinstance(model, generators.NTM)
    return model


# -- pictures ------------------------------------------------------------------------------------


def test_it_fills_the_protocol_and_draws_what_its_own_likelihood_says(generator: NTMGenerator) -> None:
    assert isinstance(generator, Generator)
    told: list[tuple[int, int]] = []
    (picture,) = generator.generate([APPLE], lambda done, of: told.append((done, of)))
    assert picture.image.size == (128, 128)
    assert told == [(i, 4) for i in range(1, 5)]
    assert picture.log_likelihood == generator.log_likelihood(picture.image, APPLE).nats


def test_same_request_same_picture_in_any_batch(generator: NTMGenerator) -> None:
    other = APPLE.model_copy(update={"seed": 4})
    both = [picture.image.tobytes() for picture in generator.generate([APPLE, other])]
    assert both == [generator.generate([request])[0].image.tobytes() for request in (APPLE, other)]
    assert both[0] != both[1]


@pytest.mark.parametrize("level", [0, 1])
def test_the_last_step_alone_is_taken_at_its_mean(
    level: int, generator: NTMGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,), drawn = generator.generate([APPLE]), generators._noise

    def other(steps: int, shape: Sequence[int], seed: int) -> torch.Tensor:
        noise = drawn(steps, shape, seed)
        noise[level] += 1
        return noise

    monkeypatch.setattr(generators, "_noise", other)
    (after,) = generator.generate([APPLE])
    assert (before.image.tobytes() == after.image.tobytes()) == (level == 0)


@pytest.mark.parametrize("decoder", ["inverse", "denoised", "distilled"])
def test_each_decoder_draws(decoder: str, generator: NTMGenerator, tokenizer: Autoencoder) -> None:
    other = generator_of(generator.model, tokenizer, decoder)
    request = APPLE.model_copy(update={"steps": 8})
    assert math.isfinite(other.generate([request])[0].log_likelihood or math.nan)


def test_a_picture_that_starts_from_a_draft_keeps_its_noisiest_states(generator: NTMGenerator, tmp_path: Path) -> None:
    draft = generator.generate([APPLE])[0].image
    draft.save(tmp_path / "d1.png")
    told: list[tuple[int, int]] = []
    edit = Edit(image=ImageFile(path=str(tmp_path / "d1.png"), sha256=""), strength=0.6)  # of .02, .35, .61, .83, 1
    generator.generate([APPLE.model_copy(update={"edit": edit})], lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


def test_what_a_mask_does_not_show_stays_to_the_pixel(generator: NTMGenerator, tmp_path: Path) -> None:
    before = generator.generate([APPLE])[0].image
    before.save(tmp_path / "d1.png")
    mask = Image.new("L", (128, 128))
    mask.paste(255, (64, 64, 128, 128))
    mask.save(tmp_path / "mask.png")
    image, white = (ImageFile(path=str(tmp_path / name), sha256="") for name in ("d1.png", "mask.png"))
    changed = tiny.request_for("blue dog").model_copy(update={"edit": Edit(image=image, mask=white)})
    after = generator.generate([changed])[0].image
    top, corner = (0, 0, 128, 48), (72, 72, 128, 128)
    assert before.crop(top).tobytes() == after.crop(top).tobytes()
    assert before.crop(corner).tobytes() != after.crop(corner).tobytes()


def test_likelihood_is_told_step_by_step_and_depends_on_the_regions(generator: NTMGenerator) -> None:
    image = Image.new("RGB", (200, 100), "teal")  # of any size
    found = generator.log_likelihood(image, APPLE, steps=8)
    assert len(found.steps) == 8
    assert sum(found.steps) == pytest.approx(found.bits_per_dim)
    assert found.nats == pytest.approx(-found.bits_per_dim * 64 * 8 * math.log(2))
    assert found == generator.log_likelihood(image, APPLE.model_copy(update={"seed": 9}), steps=8)
    assert found.nats != generator.log_likelihood(image, tiny.request_for("wet dog"), steps=8).nats
    unplaced = generator.log_likelihood(image, "a red apple", steps=8)  # nothing places it here
    assert unplaced == generator.log_likelihood(image, Request(text="a red apple"), steps=8)


def test_the_command_prints_the_likelihood(cli, parts, generator: NTMGenerator) -> None:
    parts["generators", "ntm"] = lambda: generator
    parts["generators", "flow"] = FakeGenerator
    parts["language", "grammar"] = FakeReader
    Image.new("RGB", (128, 128), "teal").save("teal.png")
    done = cli("likelihood", "teal.png", "a red apple", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["image"] == str(Path("teal.png").absolute())
    assert told["log_likelihood"] < 0
    assert sum(told["steps"]) == pytest.approx(told["bits_per_dim"])
    assert cli("likelihood", "teal.png", "a red apple").stdout.strip() == f"{told['log_likelihood']:.2f}"
    assert "knows no likelihoods" in cli("likelihood", "teal.png", "a red apple", "--generator", "flow").stderr
    assert "in 4, 8, 16 steps; 5 were asked for" in cli("likelihood", "teal.png", "an apple", "--steps", "5").stderr


# -- what is refused -----------------------------------------------------------------------------


def test_a_number_of_steps_that_was_not_trained_is_refused(generator: NTMGenerator) -> None:
    with pytest.raises(UsageError, match="in 4, 8, 16 steps; 5 were asked for"):
        generator.generate([APPLE.model_copy(update={"steps": 5})])


def test_weights_of_another_tokenizer_are_refused(generator: NTMGenerator) -> None:
    torch.manual_seed(5)
    with pytest.raises(WeightsError, match="another tokenizer"):
        generator_of(generator.model, preset("tiny", d=9))


def test_weights_of_another_preset_are_refused(tmp_path: Path) -> None:
    write(build(PRESETS["tiny"]), tmp_path / "ntm.safetensors")
    with pytest.raises(WeightsError, match="another model or preset"):
        fill(build(PRESETS["tiny"].model_copy(update={"flows": 3})), read(tmp_path / "ntm.safetensors"), "ntm")


def test_a_decoder_that_does_not_exist_is_refused(generator: NTMGenerator, tokenizer: Autoencoder) -> None:
    with pytest.raises(UsageError, match="inverse, denoised, distilled"):
        generator_of(generator.model, tokenizer, "magic")


def test_latents_that_are_not_finite_are_refused(tokenizer: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = generator_of(model_of(), tokenizer)
    monkeypatch.setattr(tokenizer, "encode", lambda images: torch.full((1, 8, 8, 8), math.nan))
    with pytest.raises(ScopeError, match="NaN or infinity"):
        generator.log_likelihood(Image.new("RGB", (128, 128)), APPLE)
    for parameter in generator.model.backbone.out.parameters():
        nn.init.constant_(parameter, math.nan)
    with pytest.raises(ImageError, match="NaN"):
        generator.generate([APPLE])


def test_weights_that_are_not_shipped_are_named(monkeypatch: pytest.MonkeyPatch, tokenizer: Autoencoder) -> None:
    monkeypatch.setattr(generators, "load_frozen", lambda *_: Frozen(tiny.binding_of(), tokenizer, {}, {}))
    monkeypatch.setattr("scope.nn.weights.expected", dict)
    with pytest.raises(WeightsError, match="ships no weights named 'ntm'"):
        generators.load()


# -- the full preset -----------------------------------------------------------------------------


@pytest.mark.heavy
def test_the_full_preset_is_as_large_as_the_papers() -> None:
    shape = PRESETS["full"]
    with torch.device("meta"):
        model = build(shape)
    assert isinstance(model.backbone, diffusers_backbone.DiffusersBackbone)
    transformer = model.backbone.transformer
    assert model.backbone.dim == 3072
    assert len(transformer.transformer_blocks) + len(transformer.single_transformer_blocks) == 24
    assert transformer.config.axes_dims_rope == (16, 56, 56)  # of FLUX: rows and columns turn alike
    assert [len(flow.blocks) for flow in model.transporter.flows] == [4, 4]
    assert 4e9 < parameter_count(model.backbone) < 5e9
    assert pytest.approx(parameter_count(model.transporter), rel=0.05) == 8 * 12 * 3072**2


def of(kind: diffusers_backbone.Kind) -> Shape:
    """The full preset at tiny size, with the real classes of diffusers."""
    small = {"c": 4, "tokens": 16, "width": 32, "depth": 5, "heads": 2, "layers": 1, "transporter_width": 16}
    denoiser = {"transporter_heads": 2, "denoiser_width": 32, "denoiser_depth": 5, "denoiser_heads": 2, "text_dim": 24}
    return PRESETS["full"].model_copy(update={"backbone": kind} | small | denoiser)


def states_of_text() -> Conditioning:
    torch.manual_seed(3)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    return Conditioning(torch.randn(2, 3, 24), torch.zeros(2, 3, dtype=torch.long), mask, None)


@pytest.mark.parametrize("kind", ["flux", "sd3"])
def test_a_transformer_of_diffusers_is_a_predictor(kind: diffusers_backbone.Kind, tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = predictor(of(kind))
    assert isinstance(base, diffusers_backbone.DiffusersBackbone)
    for parameter in base.parameters():
        nn.init.normal_(parameter, std=0.2)
    base.transformer.save_pretrained(tmp_path)
    model = trainer.build(of(kind), diffusers_backbone.pretrained(tmp_path)).eval()
    x, t, T, text = torch.randn(2, 16, 4), torch.tensor([0.7, 0.9]), torch.tensor([4, 8]), states_of_text()
    with torch.no_grad():
        step = model.predict(x, t, t / 2, T, text)
        found = base.eval()(x, t, text)
        blank = base(x, t, text, torch.tensor([True, False])).x_0
        moved = base(x, t, text, None, torch.ones(2, 32)).x_0
    x_0, h = found.x_0, found.hidden
    assert h.shape == (2, 16, 32)
    factors = generators.trajectory.posterior(t, t / 2)
    assert torch.allclose(step.mean, factors.A.view(2, 1, 1) * x + factors.B.view(2, 1, 1) * x_0, atol=1e-4)
    assert torch.allclose(blank[0], x_0[0])
    assert not torch.allclose(blank[1], x_0[1])
    assert not torch.allclose(moved, x_0)  # what joins the time is seen
    assert not base.transformer.proj_out._forward_pre_hooks  # and nothing is left behind


def test_the_velocity_of_a_transformer_of_diffusers_is_read_token_by_token() -> None:
    """SD3 patches its grid as we do: a network whose last layer copies nothing moves each token by its own bias."""
    torch.manual_seed(0)
    base = diffusers_backbone.untrained("sd3", 4, 32, 1, 2, 24).eval()
    nn.init.zeros_(base.transformer.proj_out.weight)
    base.transformer.proj_out.bias.data = torch.arange(4.0)
    x, t = torch.randn(2, 16, 4), torch.tensor([0.5, 0.25])
    with torch.no_grad():
        x_0 = base(x, t, states_of_text()).x_0
    assert torch.allclose(x_0, x - t.view(2, 1, 1) * torch.arange(4.0))


def test_a_folder_without_a_known_transformer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no transformer of diffusers"):
        diffusers_backbone.pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"_class_name": "PixArtTransformer2DModel"}')
    with pytest.raises(WeightsError, match="holds a PixArtTransformer2DModel; NTM can start from: Flux"):
        diffusers_backbone.pretrained(tmp_path)


# -- training ------------------------------------------------------------------------------------


class Cells:
    """Twelve scenes that are noise, and what their cells hear."""

    def __len__(self) -> int:
        return 12

    def tokens(self, chosen: torch.Tensor) -> torch.Tensor:
        return torch.randn(12, 64, 8, generator=torch.Generator().manual_seed(2))[chosen]

    def condition(self, chosen: torch.Tensor, noise: torch.Generator, drop: float = 0.0) -> Heard:
        return tiny.heard_of(12).each(lambda part: part[chosen])


TINY = trainer.PRESETS["tiny"]


@pytest.mark.parametrize("pairs", [False, True])
def test_trajectories_for_training_are_neighbours_of_the_schedule(pairs: bool) -> None:
    config = TINY.model_copy(update={"pairs": pairs})
    model = build(PRESETS["tiny"].model_copy(update={"shift": 3.0}))
    for seed in range(4):
        noise = torch.Generator().manual_seed(seed)
        x, t, T = trainer.trajectories(config, model, torch.zeros(6, 64, 8), noise)
        assert len(x) == len(t) == (2 if pairs else int(T[0]) + 1)
        for i, number in enumerate(T.tolist()):
            whole = model.times(number, 64, t[:1, i])[:, 0] if not pairs else None
            inner = model.times(number, 64, torch.tensor([0.03]))[1:, 0]
            assert whole is None or torch.equal(whole, t[:, i])
            assert bool((t[1:, i, None] == inner).any(1).all())
            assert bool((t[0, i] == inner).any()) or 0.01 <= float(t[0, i]) <= 0.05
        assert torch.allclose(x[0].std((1, 2)), t[0], rtol=0.2)  # of clean tokens that are zero


def test_a_pair_counts_as_often_as_its_trajectory_has_steps() -> None:
    """The mean over all pairs of a trajectory is the loss of the whole."""
    model, T = model_of(), torch.tensor([4, 4])
    text = tiny.heard_of(2)
    noise, cond_mask = torch.Generator().manual_seed(0), torch.tensor([True, False])
    t = generators.trajectory.times(4, 64, torch.tensor([0.02, 0.03]))
    x = generators.trajectory.chain(torch.randn(2, 64, 8), t, torch.randn((5, 2, 64, 8), generator=noise))
    with torch.no_grad():
        whole, _ = trainer.ntm_loss(model, None, 0.0, x, t, T, text, cond_mask)
        pairs = [
            trainer.ntm_loss(model, None, 0.0, x[k : k + 2], t[k : k + 2], T, text, cond_mask)[0] for k in range(4)
        ]
    assert float(torch.stack(pairs).mean()) == pytest.approx(float(whole), rel=1e-4)


def test_an_untrained_denoiser_leaves_its_state_as_it_is() -> None:
    """What it learns comes on top of the state: were it on top of the sketch, it would first have to take that away."""
    model, u_0 = build(PRESETS["tiny"]), torch.randn(2, 64, 8)
    assert torch.equal(model.denoiser(u_0, torch.tensor([0.02, 0.03]), torch.tensor([4, 8]), tiny.heard_of(2)), u_0)


def test_the_anchor_is_zero_where_nothing_has_been_learned() -> None:
    torch.manual_seed(0)
    model, base = build(PRESETS["tiny"]), build(PRESETS["tiny"])
    base.load_state_dict(model.state_dict())
    text = tiny.heard_of(2)
    t, T, cond_mask = (
        generators.trajectory.times(4, 64, torch.tensor([0.02, 0.03])),
        torch.tensor([4, 4]),
        torch.ones(2) > 0,
    )
    x = generators.trajectory.chain(torch.randn(2, 64, 8), t, torch.randn(5, 2, 64, 8))
    nll, loss = trainer.ntm_loss(model, base, 2.5, x, t, T, text, cond_mask)
    assert torch.equal(nll, loss)
    nn.init.normal_(model.backbone.out.weight)
    nll, loss = trainer.ntm_loss(model, base, 2.5, x, t, T, text, cond_mask)
    assert bool(loss > nll)


@pytest.mark.heavy
def test_training_lowers_the_loss_and_the_denoiser_learns(tmp_path: Path) -> None:
    changed = {"steps": 8, "denoiser_steps": 8, "log_every": 2, "warmup": 1, "lr": 1e-2, "denoiser_lr": 1e-2}
    config = TINY.model_copy(update=changed)
    torch.manual_seed(0)
    model = trainer.fit(Run(tmp_path, config), Cells(), build(PRESETS["tiny"]))
    model = trainer.distil(Run(tmp_path / "denoiser", trainer.denoiser_config(config)), Cells(), model)
    for folder in (tmp_path, tmp_path / "denoiser"):
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert rows[-1]["loss"] < rows[0]["loss"]
    assert any(bool((p != 0).any()) for p in model.denoiser.backbone.out.parameters())


@pytest.mark.heavy
@pytest.mark.parametrize("source", ["", "file"])
def test_resumed_equals_uninterrupted(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    latents = lapped.preset("tiny")
    write(latents, tmp_path / "lapped.safetensors")
    with phrases.unread():
        binding = Binding(8, latents.d, wide=32)
        binding.fit(bound_scenes.words())
        sha256 = write(binding, tmp_path / "binding.safetensors")
        _resumes(source, tmp_path, monkeypatch)
    said = read_metadata(tmp_path / "whole" / "ntm.safetensors")
    read_back = lapped.load(tmp_path / "lapped.safetensors", "tiny")[0]
    assert said["rests_on"] == {"latents": read_back.latents_sha256(), "binding": sha256}


def _resumes(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(predictor(PRESETS["tiny"]), tmp_path / "flow.safetensors")
    config = TINY.model_copy(
        update={
            "tokenizer": str(tmp_path / "lapped.safetensors"),
            "binding": str(tmp_path / "binding.safetensors"),
            "tokenizer_preset": "tiny",
            "start_from": str(tmp_path / "flow.safetensors") if source else "",
        }
    )
    trainer.train(config, tmp_path / "whole")
    save = Run._save

    def killed(self: Run[trainer.NTMConfig], step: int) -> None:
        save(self, step)
        if step == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "_save", killed)
        for _ in ("all but the denoiser", "the denoiser"):
            with pytest.raises(KeyboardInterrupt):
                trainer.train(config, tmp_path / "violated")
    trainer.train(config, tmp_path / "violated")
    whole, broken = (load_file(tmp_path / f / "ntm.safetensors") for f in ("whole", "violated"))
    assert all(torch.equal(whole[key], broken[key]) for key in whole)
    fill(build(PRESETS["tiny"]), read(tmp_path / "whole" / "ntm.safetensors"), "ntm")


def test_a_flow_matching_model_of_another_size_is_refused(tmp_path: Path) -> None:
    write(BoundDiT(8, 8, 16, 1, 2), tmp_path / "flow.safetensors")
    with pytest.raises(WeightsError, match="another model or preset"):
        trainer.initial_model(TINY.model_copy(update={"start_from": str(tmp_path / "flow.safetensors")}))
