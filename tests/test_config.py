"""Settings come from the environment, overrides from the command line; both are validated and name what is wrong."""

import pytest
from pydantic import Field

from scope.config import Settings, override
from scope.errors import UsageError
from scope.runs.store import Options
from scope.specification import Model


class Recipe(Model):
    lr: float = Field(default=1e-3, gt=0)
    steps: int = 10
    name: str = "tiny"
    sizes: tuple[int, ...] = (1, 2)
    limit: float | None = 1.0
    compiled: bool = False


def test_the_environment_sets_what_it_names_and_nothing_else() -> None:
    settings = Settings.load({"SCOPE_DRAFTS": "5", "SCOPE_MAX_TIME": "2.5", "SCOPE_HOME": "x", "DRAFTS": "9"})
    assert settings == Settings(drafts=5, max_time=2.5)


def test_settings_and_options_agree_on_their_defaults() -> None:
    shared = set(Settings.model_fields) & set(Options.model_fields)
    assert shared == {"generator", "drafts", "max_rounds", "max_time", "max_images", "max_cost", "language"}
    assert all(Settings.model_fields[name].default == Options.model_fields[name].default for name in shared)


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(UsageError, match="SCOPE_DRAFTS='many'"):
        Settings.load({"SCOPE_DRAFTS": "many"})


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("lr=3e-4", "lr", 3e-4),
        ("steps=20", "steps", 20),
        ("name=123", "name", "123"),
        ("name=a=b", "name", "a=b"),
        ("sizes=[3, 4]", "sizes", (3, 4)),
        ("limit=null", "limit", None),
        ("compiled=true", "compiled", True),
    ],
)
def test_an_override_is_read_as_its_field_is_typed(assignment: str, field: str, value: object) -> None:
    assert override(Recipe(), [assignment]) == Recipe().model_copy(update={field: value})


def test_the_last_override_wins_and_the_recipe_stays_as_it_was() -> None:
    recipe = Recipe()
    assert override(recipe, ["steps=1", "steps=2"]).steps == 2
    assert recipe.steps == 10


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("lrr=1", "did you mean 'lr'"),
        ("xyz=1", "it has: lr, steps"),
        ("lr", "name=value"),
        ("lr=-1", "lr='-1'"),
        ("lr=fast", "lr='fast'"),
        ("sizes=[1", "not valid JSON"),
    ],
)
def test_a_bad_override_says_what_is_wrong(assignment: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("[", r"\[")):
        override(Recipe(), [assignment])
