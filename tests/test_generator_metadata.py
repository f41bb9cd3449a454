"""What a generator's file of weights says of itself: the words that it knows, and whose latents it draws."""

from pathlib import Path

import pytest
import torch

from scope.errors import WeightsError
from scope.generators import flow
from scope.generators.metadata import check_tokenizer, metadata_of, vocabulary_of
from scope.models.dit import DiT
from scope.nn.weights import read, write
from scope.protocols import Vocabulary
from scope.weights import read_metadata

WORDS = Vocabulary(frozenset({"apple", "cup"}), frozenset({"red"}), frozenset(), max_count=3, max_letters=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


def test_a_vocabulary_comes_back_from_the_file_as_it_was(path: Path) -> None:
    write(torch.nn.Linear(2, 2), path, metadata=metadata_of(WORDS, "ab" * 32))
    assert vocabulary_of(read_metadata(path)) == WORDS
    assert set(read(path)) == {"weight", "bias"}


def test_the_same_words_give_the_same_file(path: Path) -> None:
    layer = torch.nn.Linear(2, 2)
    assert write(layer, path, metadata=metadata_of(WORDS, "ab" * 32)) == write(
        layer, path, metadata=metadata_of(WORDS, "ab" * 32)
    )


def test_weights_that_say_nothing_know_nobody_knows_what_and_take_any_tokenizer(path: Path) -> None:
    write(torch.nn.Linear(2, 2), path)
    assert read_metadata(path) == {}
    assert vocabulary_of({}) is None
    check_tokenizer({}, "ab" * 32, "flow")


def test_metadata_of_a_file_that_is_missing_or_damaged_is_one_clear_error(path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.safetensors cannot be read"):
        read_metadata(path)
    path.write_bytes(b"no header")
    with pytest.raises(WeightsError, match=r"weights\.safetensors cannot be read"):
        read_metadata(path)


def test_the_tokenizer_that_weights_were_not_trained_on_is_refused_in_one_line() -> None:
    with pytest.raises(WeightsError, match=r"another tokenizer.*abababababab.*cdcdcdcdcdcd") as refused:
        check_tokenizer(metadata_of(None, "ab" * 32), "cd" * 32, "ntm")
    assert "\n" not in str(refused.value)
    assert "scope train ntm" in str(refused.value)


@pytest.mark.weights
def test_a_tokenizer_that_a_user_gives_is_used_and_the_shipped_one_is_checked(path: Path, tmp_path: Path) -> None:
    from scope.tokenizers.pae import load as load_pae

    torch.manual_seed(0)
    write(DiT(128), path, metadata=metadata_of(WORDS, "ab" * 32))
    with pytest.raises(WeightsError, match="another tokenizer"):
        flow.load(path)
    own = tmp_path / "pae.safetensors"
    write(load_pae()[0], own)
    generator = flow.load(path, own)
    assert generator.vocabulary == WORDS
