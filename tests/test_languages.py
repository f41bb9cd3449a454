"""Prompts in other languages, slips of spelling, and what else is said in a line beside the commitments."""

import random

import pytest

from scope.errors import NotEnglish, PromptError
from scope.parsing.grammar import MAX_COMMITMENTS, Grammar
from scope.parsing.languages import foreign_language
from scope.parsing.notes import notes_of

FOREIGN = {
    "un chat noir sur une table": "French",
    "l'homme et la mer": "French",
    "zwei rote Äpfel links von einem blauen Auto am Strand": "German",
    "ein Hund": "German",
    "una manzana roja sobre una mesa": "Spanish",
    "um gato preto no parque": "Portuguese",
    "una mela rossa su un tavolo": "Italian",
    "een rode appel op een tafel": "Dutch",
    "en röd katt på ett bord": "Swedish",
    "czerwone jabłko na stole": "Polish",
    "kırmızı bir araba": "Turkish",
    "egy piros alma az asztalon": "Hungarian",
    "кот на столе": "Russian",
    "一只猫在桌子上": "Chinese",
    '一只猫拿着写着"HELLO"的牌子': "Chinese",
    "テーブルの上の猫": "Japanese",
    "고양이 한 마리": "Korean",
    "قطة على الطاولة": "Arabic",
    "חתול על שולחן": "Hebrew",
    "μια γάτα": "Greek",
}
ENGLISH = (
    "the Château de Chambord at night",
    "El Niño over Los Angeles",
    "Vincent van Gogh",
    "la la land",
    "coq au vin",
    "a piñata and a jalapeño",
    "De Stijl chair",
    "a robot en garde",
    "a Día de los Muertos skull",
    'a sign that says "un chat noir sur une table"',
    "a cat 猫",
    "two dice and a die on a table",
    "a yeti",
)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


@pytest.mark.parametrize("prompt", FOREIGN)
def test_another_language_is_named_in_one_line(grammar: Grammar, prompt: str) -> None:
    with pytest.raises(NotEnglish, match=f"prompts are read in English; this looks {FOREIGN[prompt]}") as refused:
        grammar.decompose(prompt)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("prompt", ENGLISH)
def test_foreign_names_do_not_make_a_prompt_foreign(prompt: str) -> None:
    assert foreign_language(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("a red aple", {"aple": "apple"}),
        ("an appel on a tabel", {"appel": "apple", "tabel": "table"}),
        ("an elefant and two dgos", {"elefant": "elephant", "dgos": "dogs"}),
        ("a gren car", {"gren": "green"}),
        ("a florpus and a yeti", {}),
        ("a sign that says aple", {}),
        ("Aple headquarters", {}),
        ("curated wasabi towards others", {}),
    ],
)
def test_a_slip_is_a_note_and_read_as_it_stands(prompt: str, meant: dict[str, str]) -> None:
    assert notes_of(prompt) == tuple(
        f'"{word}" is no word that is known; did you mean "{near}"?' for word, near in meant.items()
    )


def test_all_that_is_not_supported_is_said_in_one_note() -> None:
    (note,) = notes_of("masterpiece, a (red car:1.3) <lora:x:1> --ar 16:9")
    assert "not supported" in note
    assert all(f'"{said}"' in note for said in ("masterpiece", ":1.3", "<lora:x:1>", "--ar 16:9"))
    (long,) = notes_of(" ".join(["a cat", *(f"--x {n}" for n in range(50))]))
    assert "and 42 more" in long


def test_the_limit_on_commitments_is_said(grammar: Grammar) -> None:
    with pytest.raises(PromptError, match=rf"{MAX_COMMITMENTS + 1:,} commitments; the limit is {MAX_COMMITMENTS:,}"):
        grammar.decompose("🍎" * (MAX_COMMITMENTS + 1))


PIECES = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<lora:a:1>",
    "--no",
    "--ar 1:1",
    ":1.2",
    "::",
    "|",
    "'",
    '"',
    "“",
    "”",
    "a cat",
]


@pytest.mark.parametrize("seed", range(40))
def test_no_mixture_of_marks_breaks_the_reading(grammar: Grammar, seed: int) -> None:
    random_ = random.Random(seed)
    prompt = " ".join(
        random_.choices([*PIECES, "red", "negative prompt:", "BREAK", "the image shows", "named Tom"], k=14)
    )
    try:
        spec = grammar.decompose(prompt)
    except PromptError:
        return
    notes_of(spec.prompt)
    assert all(spec.prompt[c.span.start : c.span.end].strip() for c in spec.commitments if c.span)
