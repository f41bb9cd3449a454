"""What a generator's file of weights says of itself: the words that it knows, and what it rests on."""

from pathlib import Path

import pytest
import torch

from scope.errors import WeightsError
from scope.generators import flow
from scope.generators.canvas import load_frozen
from scope.generators.metadata import check_rests, metadata_of, vocabulary_of
from scope.models.binding import Binding
from scope.models.bound_dit import BoundDiT
from scope.nn.weights import read, write
from scope.protocols import Vocabulary
from scope.weights import read_metadata
from scope.worlds.pocket.vocabulary import with_names

WORDS = Vocabulary(frozenset({"apple", "cup"}), frozenset({"red"}), frozenset(), max_count=3, max_letters=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


def test_a_vocabulary_comes_back_from_the_file_as_it_was(path: Path) -> None:
    write(torch.nn.Linear(2, 2), path, metadata=metadata_of(WORDS, {"latents": "ab" * 32}))
    assert vocabulary_of(read_metadata(path)) == with_names(WORDS)
    assert set(read(path)) == {"weight", "bias"}


def test_the_same_words_give_the_same_file(path: Path) -> None:
    layer = torch.nn.Linear(2, 2)
    assert write(layer, path, metadata=metadata_of(WORDS, {"latents": "ab" * 32})) == write(
        layer, path, metadata=metadata_of(WORDS, {"latents": "ab" * 32})
    )


def test_weights_that_say_nothing_know_nobody_knows_what_and_rest_on_anything(path: Path) -> None:
    write(torch.nn.Linear(2, 2), path)
    assert read_metadata(path) == {}
    assert vocabulary_of({}) is None
    check_rests({}, {"latents": "ab" * 32}, "flow")


def test_metadata_of_a_file_that_is_missing_or_damaged_is_one_clear_error(path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.safetensors cannot be read"):
        read_metadata(path)
    path.write_bytes(b"no header")
    with pytest.raises(WeightsError, match=r"weights\.safetensors cannot be read"):
        read_metadata(path)


def test_parts_that_weights_were_not_trained_on_are_refused_in_one_line() -> None:
    said = metadata_of(None, {"latents": "ab" * 32, "binding": "ef" * 32})
    check_rests(said, {"latents": "ab" * 32, "binding": "ef" * 32}, "ntm")
    with pytest.raises(WeightsError, match=r"other latents.*abababababab.*cdcdcdcdcdcd") as refused:
        check_rests(said, {"latents": "cd" * 32, "binding": "ef" * 32}, "ntm")
    assert "\n" not in str(refused.value)
    assert "scope train ntm" in str(refused.value)
    with pytest.raises(WeightsError, match="other binding"):
        check_rests(said, {"binding": "cd" * 32}, "ntm")


@pytest.mark.weights
def test_parts_that_a_user_gives_are_used_where_the_weights_rest_on_them(path: Path, tmp_path: Path) -> None:
    frozen = load_frozen()
    torch.manual_seed(0)
    write(BoundDiT(frozen.tokenizer.d), path, metadata=metadata_of(WORDS, frozen.sha256))
    assert flow.load(path).vocabulary == with_names(WORDS)
    own = tmp_path / "binding.safetensors"
    write(Binding(8, frozen.tokenizer.d), own)
    with pytest.raises(WeightsError, match="other binding"):
        flow.load(path, own)
    write(BoundDiT(frozen.tokenizer.d), path, metadata=metadata_of(WORDS, load_frozen(own).sha256))
    assert flow.load(path, own).vocabulary == with_names(WORDS)
