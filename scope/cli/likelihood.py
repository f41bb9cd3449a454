"""`scope likelihood`: how likely a generator holds a picture to be, for a prompt."""

from pathlib import Path
from typing import Annotated

import typer

from scope.cli.console import emit, emit_json, log
from scope.cli.options import Json, Prompt
from scope.errors import UsageError


def likelihood(
    image: Annotated[Path, typer.Argument(help="A picture.", show_default=False)],
    prompt: Prompt,
    steps: Annotated[int, typer.Option(help="Of the trajectory: one of those that the generator was trained for.")] = 4,
    generator: Annotated[str, typer.Option(help="A generator that knows likelihoods.")] = "ntm",
    as_json: Json = False,
) -> None:
    """Print log p(picture | prompt) in nats: a lower bound, of the picture's latents; more is likelier."""
    from scope.app import decompose
    from scope.plugins import registry
    from scope.runs.png import open_picture
    from scope.skills.bind import request_of

    model = registry.load("generators", generator)()
    if not hasattr(model, "log_likelihood"):
        raise UsageError(f"the generator {generator!r} knows no likelihoods; ntm does")
    result = model.log_likelihood(open_picture(image), request_of(decompose(prompt), seed=0), steps)
    if as_json:
        return emit_json(
            {
                "image": str(image.absolute()), "prompt": prompt, "generator": f"{model.name}@{model.version}",
                "log_likelihood": result.nats, "bits_per_dim": result.bits_per_dim, "steps": list(result.steps),
            }
        )  # fmt: skip
    log(f"{result.bits_per_dim:.4f} bits a dimension of the latents; from the cleanest step to the noisiest:")
    log("  ".join(f"{bits:.4f}" for bits in result.steps))
    return emit(f"{result.nats:.2f}")
