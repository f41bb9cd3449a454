"""Latents with the states of their texts: what a trajectory model of texts reads of them."""

import torch

from scope.training.data.cached_latents import LatentCache, drop_groups


def cache_of(letters: torch.Tensor) -> LatentCache:
    torch.manual_seed(0)
    groups = torch.tensor([[0, 1, 1, 2], [1, 1, 0, 0], [0, 0, 1, 0]], dtype=torch.uint8)
    return LatentCache(torch.randn(3, 5, 2, 2).half(), torch.randn(3, 4, 7).half(), groups, groups > 0, letters)


def test_tokens_and_texts_are_those_of_the_scenes_that_are_chosen() -> None:
    cache = cache_of(torch.tensor([[72, 73], [0, 0], [79, 0]], dtype=torch.uint8))
    chosen = torch.tensor([2, 0])
    assert len(cache) == 3
    assert torch.equal(cache.tokens(chosen)[1, 1], cache.latents[0, :, 0, 1].float())
    text = cache.text(chosen)
    assert torch.equal(text.hidden_states, cache.hidden_states[chosen].float())
    assert text.groups.tolist() == cache.groups[chosen].tolist()
    assert torch.equal(text.mask, cache.mask[chosen])
    assert text.letters is not None
    assert text.letters.tolist() == [[79, 0], [72, 73]]


def test_scenes_without_signs_have_no_letters() -> None:
    assert cache_of(torch.zeros(3, 2, dtype=torch.uint8)).text(torch.tensor([1])).letters is None


def test_groups_are_dropped_of_a_share_of_the_texts_and_of_nothing_else() -> None:
    cache = cache_of(torch.zeros(3, 2, dtype=torch.uint8))
    text, rows = cache.text(torch.arange(3)), torch.arange(3).repeat(200)
    many = cache.condition(rows, torch.Generator().manual_seed(1), drop=0.25)
    dropped = many.groups.sum(1).eq(0)
    assert 0.18 < float(dropped.float().mean()) < 0.32
    assert torch.equal(many.groups[~dropped], text.groups[rows][~dropped])
    assert torch.equal(many.hidden_states, text.hidden_states[rows])
    assert torch.equal(drop_groups(text, 0.0, torch.Generator()).groups, text.groups)
