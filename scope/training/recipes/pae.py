"""Train PAE (arXiv 2605.07915), or a tokenizer that it is measured against, in one loop.

L = l1 L1 + perceptual P + gan GAN + the tokenizer's own losses. First come, where they are missing: the VFM, the
refined prior (stage R), and the network of the perceptual loss. GAN and MCR join after `gan_from` and `mcr_from` of the
steps, since both are noise before there is a picture. After `freeze_from` of the steps the decoder learns alone, and a
generator can start on the latents meanwhile: encoder.safetensors holds the tokenizer of that moment.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.discriminator import PatchDiscriminator, adaptive_weight, g_loss, hinge_d_loss
from scope.models.features import FeatureNet, perceptual_distance
from scope.nn.ema import EMA
from scope.nn.weights import PACK_TOKENIZER, fill, read
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.baselines import AE, KLVAE, RAE, VAVAE
from scope.tokenizers.losses import Distance, Perturbation
from scope.tokenizers.pae import PAE
from scope.tokenizers.prior import RefinedPrior
from scope.tokenizers.vfm import build, frozen
from scope.training.data.tokenizer_images import TokenizerImages, World, tokenizer_images
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine
from scope.training.recipes import closeup_classifier, prior
from scope.training.recipes import features as feature_trainer
from scope.training.recipes import vfm as vfm_trainer

Architecture = Literal["pae", "ae", "kl", "rae", "va"]


class PAEConfig(TrainConfig):
    """The recipe of a tokenizer. The weights of the losses are the paper's where `pae` has one."""

    architecture: Architecture = "pae"
    world: World = "scenes"
    images: int = 12_000
    d: int = 32
    dim: int = 256
    depth: int = 3
    modulator_depth: int = 1
    heads: int = 4
    decoder: Literal["pixels", "patches"] = "pixels"
    linear: bool = False  # start from the PCA of patches
    freeze_from: float = 1.0  # of the steps
    vfm: str = "pocket"  # preset of training/recipes/vfm.py
    perceptual_net: str = "pocket"
    prior: Literal["refined", "whitened"] = "refined"
    prior_steps: int = 300
    l1: float = 10.0
    perceptual: float = 1.0  # of a distance that is some ten times LPIPS
    gan: float = 0.05
    gan_from: float = 0.6  # of the steps
    ssr: float = 0.2
    mcr: float = 0.5
    mcr_from: float = 0.2  # of the steps
    mcr_share: float = 0.25  # of the batch: two more decodes each
    scr: float = 1.0
    kl: float = 1e-2
    mcos: float = 1.0
    mdms: float = 1.0
    angles: Literal["jitter", "fixed"] = "jitter"
    renormalise: bool = True
    share_direction: bool = True


_CLOSEUP = PAEConfig(
    steps=450, batch=32, lr=1.5e-3, seed=31, ema=0.99, world="closeups", images=16_000, d=8, dim=96, depth=2, heads=2,
    vfm="closeup", perceptual_net="perceptual", dtype="bf16",
)  # fmt: skip

PRESETS = {
    "tiny": _CLOSEUP.model_copy(
        update={"steps": 2, "batch": 4, "images": 16, "dim": 32, "depth": 1, "vfm": "tiny", "perceptual_net": "tiny",
                "prior_steps": 2, "gan_from": 0.0, "mcr_from": 0.0, "freeze_from": 0.5, "save_every": 1,
                "log_every": 1, "dtype": "fp32"}
    ),
    "closeup": _CLOSEUP,
    "pocket": PAEConfig(
        steps=3200, batch=24, lr=1e-3, seed=31, ema=0.998, d=128, l1=40.0, perceptual=2.0, scr=0.5, mcr=0.05,
        mcr_from=0.0, mcr_share=0.125, decoder="patches", linear=True, freeze_from=0.15,
    ),
}  # fmt: skip

#: World -> pixels of a picture's side and of a token's.
_SIZES = {"scenes": (128, 16), "closeups": (32, 4)}
_CROP = 64  # pixels that the perceptual network sees of a larger picture


# -- what comes before ---------------------------------------------------------------------------


def backbone(config: PAEConfig, folder: Path) -> nn.Module:
    """Return the frozen VFM of a recipe, trained where it is missing."""
    recipe = vfm_trainer.PRESETS[config.vfm]
    if not (folder / "vfm" / "vfm.safetensors").exists():
        vfm_trainer.train(recipe, folder / "vfm")
    model = build(recipe.name)
    fill(model, read(folder / "vfm" / "vfm.safetensors"), "vfm")
    return frozen(model)


def perceptual_network(config: PAEConfig, folder: Path) -> FeatureNet:
    """Return the frozen network of the perceptual loss, trained where it is missing."""
    if config.world == "closeups":
        return closeup_classifier.load_or_train(
            closeup_classifier.PRESETS[config.perceptual_net], folder / "perceptual"
        ).network
    recipe = feature_trainer.PRESETS[config.perceptual_net].model_copy(update={"dim": 64, "seed": 51})
    path = folder / "perceptual" / "features.safetensors"
    if not path.exists():
        feature_trainer.train(recipe, folder / "perceptual")
    network = FeatureNet(recipe.dim)
    fill(network, read(path), "features")
    return network.eval().requires_grad_(False)


def untrained(config: PAEConfig, vfm: nn.Module | str, distance: Distance = F.l1_loss) -> Autoencoder:
    """Return the tokenizer of a recipe as it is constructed."""
    size, patch = _SIZES[config.world]
    match config.architecture:
        case "pae":
            how = Perturbation(config.angles, config.renormalise, config.share_direction)
            return PAE(
                size, patch, config.d, config.dim, config.depth, config.modulator_depth, config.heads, vfm,
                decoder=config.decoder, linear=config.linear, prior=config.prior, perturbation=how,
                mcr_share=config.mcr_share, distance=distance,
            )  # fmt: skip
        case "ae":
            return AE(size, patch, config.d, config.dim, config.depth)
        case "kl":
            return KLVAE(size, patch, config.d, config.dim, config.depth)
        case "rae":
            return RAE(size, patch, vfm, config.dim, config.depth)
        case "va":
            return VAVAE(size, patch, config.d, config.dim, config.depth, vfm)


def _start(model: PAE, config: PAEConfig, folder: Path, data: TokenizerImages) -> None:
    """Give a PAE its prior, stage R or the principal components, and its linear start."""
    images = data.batch(torch.arange(min(1024, len(data))), torch.device("cpu"))
    model.whiten(images)
    if config.linear:
        model.start_linear(images)
    if isinstance(model.prior, RefinedPrior):
        if not (folder / "prior" / "prior.safetensors").exists():
            recipe = prior.PriorConfig(
                steps=config.prior_steps, batch=config.batch, lr=1e-3, seed=config.seed, ema=0.99, dtype=config.dtype
            )
            prior.train(recipe, folder / "prior", model.prior, model.vfm, data)
        fill(model.prior, read(folder / "prior" / "prior.safetensors"), "prior")


# -- the loop ------------------------------------------------------------------------------------


class ReconstructionLoss:
    """L1 and the perceptual distance of two sets of pictures; of larger ones, of one crop a step."""

    def __init__(self, network: FeatureNet, config: PAEConfig) -> None:
        self.network, self.config = network, config
        self.corner = (0, 0)

    def sample_crop(self, noise: torch.Generator) -> None:
        """Choose the crop of a step."""
        room = max(0, _SIZES[self.config.world][0] - _CROP)
        x, y = torch.randint(0, room + 1, (2,), generator=noise).tolist()
        self.corner = (x, y)

    def perceptual(self, decoded: Tensor, images: Tensor) -> Tensor:
        """Return the mean perceptual distance."""
        x, y = self.corner
        decoded, images = (a[..., y : y + _CROP, x : x + _CROP] for a in (decoded, images))
        return perceptual_distance(self.network, decoded, images).mean()

    def __call__(self, decoded: Tensor, images: Tensor) -> Tensor:
        """Return the distance that MCR holds decodes to."""
        return F.l1_loss(decoded, images) + self.config.perceptual * self.perceptual(decoded, images)


def train(config: PAEConfig, folder: Path, parts: Path | None = None) -> None:
    """Train, or continue training, the tokenizer; writes folder/pae.safetensors.

    `parts` is where VFM, prior and perceptual network are kept, for several tokenizers that share them.
    """
    shared = parts or folder
    data = tokenizer_images(config.world, config.images, config.seed)
    reconstruction = ReconstructionLoss(perceptual_network(config, shared), config)
    vfm = backbone(config, shared)
    torch.manual_seed(config.seed)  # here, so that it is the same whether those two were trained now or found
    discriminator = PatchDiscriminator()
    model = untrained(config, vfm, reconstruction)
    if isinstance(model, PAE):
        _start(model, config, shared, data)
    run = Run(folder, config)
    model, discriminator = model.to(run.device), discriminator.to(run.device)
    reconstruction.network.to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    d_optimizer = torch.optim.AdamW(discriminator.parameters(), lr=config.lr / 2, betas=(0.5, 0.9))
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    run.track(discriminator=discriminator, d_optimizer=d_optimizer)
    forward, discriminate = run.parallel(model, type(model).training_forward), run.parallel(discriminator)
    last_layer = next(p for p in reversed(list(model.decoder.parameters())) if p.ndim >= 2 and p.requires_grad)
    frozen_at = round(config.freeze_from * config.steps)
    if isinstance(model, PAE) and run.start > frozen_at:
        model.freeze_encoder()
    for step in run.steps():
        if isinstance(model, PAE) and step == frozen_at:
            model.load_state_dict(ema.model.state_dict())
            model.freeze_encoder()
            save(run, ema.model, data, folder / "encoder.safetensors")
        noise, done = run.torch_rng(step), step / config.steps
        images = data.batch(torch.randint(len(data), (run.batch,), generator=noise), run.device)
        reconstruction.sample_crop(noise)
        with run.autocast():
            output = forward(images, noise)
            fake = output.decoded
            terms = {"l1": F.l1_loss(fake, images), "perceptual": reconstruction.perceptual(fake, images)}
        own = {k: v for k, v in output.terms.items() if k != "mcr" or done >= config.mcr_from}
        loss = sum((getattr(config, k) * v for k, v in (terms | own).items()), torch.zeros((), device=run.device))
        if config.gan and done >= config.gan_from:
            d_optimizer.zero_grad()
            run.backward(hinge_d_loss(discriminate(images), discriminate(fake.detach())))
            d_optimizer.step()
            adversarial = g_loss(discriminator(fake))
            weight = adaptive_weight(terms["l1"] + terms["perceptual"], adversarial, last_layer)
            loss = loss + config.gan * weight * adversarial

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        mse = F.mse_loss(fake.detach().clamp(-1, 1), images)
        run.log(step, loss=loss, grad=grad, **terms, **output.terms, psnr=10 * torch.log10(4 / mse))
        if (step + 1) % 400 == 0:
            run.save_grid(f"{step + 1:06d}", torch.cat([images[:8], fake[:8].detach()]))
        run.checkpoint(step)
    save(run, ema.model, data, folder / "pae.safetensors")


def save(run: Run[PAEConfig], model: Autoencoder, data: TokenizerImages, path: Path) -> None:
    """Write a tokenizer whose latents are at unit scale."""
    model.set_statistics(torch.cat([tokens(model, data, start) for start in range(0, min(2048, len(data)), 64)]))
    run.write(model, path, pack=PACK_TOKENIZER)


@torch.no_grad()
def tokens(model: Autoencoder, data: TokenizerImages, start: int) -> Tensor:
    """Return the tokens of 64 pictures, without gradient."""
    where = next(model.parameters()).device
    return model.encode_tokens(data.batch(torch.arange(start, min(len(data), start + 64)), where))
