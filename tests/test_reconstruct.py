"""`scope reconstruct`: a picture through the tokenizer, and what it says of a file that is no such picture."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Cli
from PIL import Image
from test_bad_input import one_line
from test_images import png

from scope.benchmarks.metrics.pictures import psnr
from scope.errors import ImageError
from scope.nn.weights import write
from scope.runs.png import open_picture
from scope.tokenizers import pae
from scope.worlds.pocket import Group, Plan, compose


def picture(width: int = 128, height: int = 128) -> Image.Image:
    image = Image.fromarray(compose(Plan((Group("apple", 1, "red"), Group("dog")), "left of", "beach"), 1).image)
    return image.resize((width, height))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tokenizer that nobody trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write(pae.preset("tiny"), path)
    return path


@pytest.fixture
def tiny(cli: Cli, weights: Path) -> Cli:
    """`scope reconstruct` with the small tokenizer."""
    return lambda *given: cli("reconstruct", *given, "--weights", weights, "--preset", "tiny")


# -- what it does --------------------------------------------------------------------------------


@pytest.mark.weights
def test_a_scene_comes_back_nearly_as_it_was_by_the_shipped_tokenizer(cli: Cli) -> None:
    picture().save("scene.png")
    done = cli("reconstruct", "scene.png", "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["image"]) == Path("scene-reconstructed.png").absolute()
    with Image.open(said["image"]) as drawn:
        pair = [torch.from_numpy(np.array(i)).double() / 127.5 - 1 for i in (picture(), drawn)]
    assert float(psnr(pair[0][None], pair[1][None])) == pytest.approx(said["psnr"], abs=0.1)
    assert said["psnr"] > 25
    assert said["latents"] == [128, 8, 8]
    assert len(said["weights"]) == 64


def test_the_path_goes_to_stdout_and_the_likeness_to_stderr(tiny: Cli) -> None:
    picture().save("scene.png")
    done = tiny("scene.png", "-o", "out.png")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{Path('out.png').absolute()}\n"
    assert "PSNR" in done.stderr
    assert " dB" in done.stderr
    assert "49,152 numbers went through 512" in done.stderr
    with Image.open("out.png") as drawn:
        assert (drawn.size, drawn.mode) == ((128, 128), "RGB")


def test_another_size_is_scaled_only_if_asked(tiny: Cli) -> None:
    picture(300, 200).save("wide.png")
    one_line(tiny("wide.png"), 1, "wide.png", "300 x 200", "128 x 128", "--resize")
    assert not Path("wide-reconstructed.png").exists()
    done = tiny("wide.png", "--resize")
    assert done.exit_code == 0, done.stderr
    assert Path("wide-reconstructed.png").is_file()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "jpeg"), ("RGB", "webp"), ("L", "png"), ("P", "png"), ("1", "png"), ("RGBA", "png"), ("LA", "png")],
)
def test_ordinary_pictures_are_read_whatever_they_are_named(tiny: Cli, mode: str, kind: str) -> None:
    picture().convert(mode).save("picture.bin", kind)
    assert tiny("picture.bin").exit_code == 0


def test_a_picture_that_a_camera_turned_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it
    picture(40, 20).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").size == (20, 40)


# -- what it refuses -----------------------------------------------------------------------------


def half_seen() -> Image.Image:
    image = picture().convert("RGBA")
    image.putalpha(128)
    return image


def transparent_gif_like() -> Image.Image:
    image = picture().convert("P")
    image.info["transparency"] = image.getpixel((0, 0))
    return image


BAD = {
    "cmyk": (lambda path: picture().convert("CMYK").save(path, "JPEG"), "CMYK"),
    "16 bits": (lambda path: Image.fromarray(np.zeros((128, 128), np.uint16)).save(path, "PNG"), "I;16"),
    "transparent": (lambda path: half_seen().save(path, "PNG"), "background"),
    "a transparent colour": (lambda path: transparent_gif_like().save(path, "PNG"), "background"),
    "no such file": (lambda path: None, "no such file"),
    "empty": (lambda path: path.write_bytes(b""), "PNG, JPEG or WEBP"),
    "words": (lambda path: path.write_text("a red apple"), "PNG, JPEG or WEBP"),
    "truncated": (lambda path: _cut(path), "PNG, JPEG or WEBP"),
    "a tiff of floats": (
        lambda path: Image.fromarray(np.full((128, 128), np.nan, np.float32)).save(path, "TIFF"),
        "PNG, JPEG or WEBP",
    ),
    "a bomb of 40 megapixels": (lambda path: path.write_bytes(png(width=8000, height=5001)), "too many"),
    "a bomb of 4 gigapixels": (lambda path: path.write_bytes(png(width=65_000, height=65_000)), ""),
    "a large file": (lambda path: path.write_bytes(b"\0" * (20 * 2**20 + 1)), "larger"),
    "a folder": (lambda path: path.mkdir(), "not a file"),
}


def _cut(path: Path) -> None:
    picture().save(path, "PNG")
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_in_one_line_and_nothing_is_written(name: str, tiny: Cli) -> None:
    make, word = BAD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make(Path("in.png"))
    one_line(tiny("in.png", "--resize"), 1, "in.png", word)
    assert not Path("in-reconstructed.png").exists()
    with pytest.raises(ImageError):
        open_picture(Path("in.png"))


def test_weights_of_another_preset_are_refused(cli: Cli, weights: Path) -> None:
    picture().save("scene.png")
    one_line(cli("reconstruct", "scene.png", "--weights", weights, "--preset", "pocket"), 1, "another model or preset")
    one_line(cli("reconstruct", "scene.png", "--weights", weights, "--preset", "huge"), 2, "huge", "pocket")
    one_line(cli("reconstruct", "scene.png", "--weights", "none.safetensors"), 1, "none.safetensors", "cannot be read")


def test_a_name_that_cannot_be_written_is_told_before_anything_is_read(tiny: Cli) -> None:
    picture().save("scene.png")
    one_line(tiny("scene.png", "-o", "out.jpg"), 2, ".png")
    one_line(tiny("scene.png", "-o", "nowhere/out.png"), 1, "nowhere")
