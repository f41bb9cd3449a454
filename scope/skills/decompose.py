"""Decompose: a prompt becomes commitments, by the reader's grammar or, where there is one, by a language model."""

from scope.errors import LanguageError, NotEnglish
from scope.protocols import LanguageModel, Message, Reply, Toolbox
from scope.skills.llm_reading import Proposal, Refused, specification
from scope.specification import Cause, Reading, Specification, canonical_json

REASKS = 2

_INSTRUCTIONS = """\
Split the prompt of a picture into its checkable claims. Answer with JSON only.
- entities: every thing to be drawn. words: copied from the prompt; noun: its singular.
- constraints: type count, attribute, relation, setting (where it is), style, text (to be read in the picture) or
  absence (what must not be there). words: copied from the prompt; value: the number, the adjective, the relation, the
  place, the style, the text, the absent noun; of: the numbers of the entities that it speaks of, the first is 1.
- unknowns: words that must be looked up (external_reference) or worked out (semantic_reasoning) first.
- left_out: words of the prompt that fit nowhere. Every word that matters stands in one of the four lists."""

_EXAMPLE = "two red apples to the left of a dog on a beach"
_EXAMPLE_ANSWER = Proposal.model_validate(
    {
        "entities": [{"words": "apples", "noun": "apple"}, {"words": "dog", "noun": "dog"}],
        "constraints": [
            {"type": "count", "words": "two", "value": 2, "of": [1]},
            {"type": "attribute", "words": "red", "value": "red", "of": [1]},
            {"type": "relation", "words": "to the left of", "value": "left of", "of": [1, 2]},
            {"type": "setting", "words": "on a beach", "value": "beach", "of": []},
        ],
        "unknowns": [],
        "left_out": [],
    }
)


class Decompose:
    """Declares the commitments of a prompt.

    The reader's are always had first: they hold what a model's must not lose, and are kept if it gives nothing usable.
    The evidence of the first event says which model read the prompt at what cost, or why none did.
    """

    name = "decompose"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether nothing is declared yet."""
        return not spec.events

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification of `spec.prompt`, which the reader may have cleaned.

        Raises: PromptError if it holds nothing that can be drawn; NotEnglish if nobody could read its language.
        """
        try:
            known = tools.reader.decompose(spec.prompt)
        except NotEnglish:
            if tools.language is None:
                raise
            known = Specification(prompt=spec.prompt)
        return known if tools.language is None else self._ask_model(known, tools.language)

    def _ask_model(self, known: Specification, model: LanguageModel) -> Specification:
        """Return the model's specification, or after two re-asks the known one.

        Raises: NotEnglish if there is none of either.
        """
        messages = [
            Message(role="system", content=_INSTRUCTIONS),
            Message(role="user", content=_EXAMPLE),
            Message(role="assistant", content=_EXAMPLE_ANSWER.model_dump_json()),
            Message(role="user", content=known.prompt, untrusted=True),
        ]
        replies: list[Reply] = []
        try:
            for _ in range(1 + REASKS):
                reply = model.complete(messages, Proposal.model_json_schema())
                replies.append(reply)
                try:
                    cause = Cause.skill(self.name, self.version)
                    return _with_reading(
                        specification(Proposal.model_validate(reply.data), known, cause), model, replies
                    )
                except ValueError as error:
                    why = _reason(error)
                    messages = [*messages, *_correction(reply, why)]
        except LanguageError as error:
            why = str(error)
        if not known.events:
            raise NotEnglish(f"prompts are read in English, and the language model's reading cannot be used: {why}")
        return _with_reading(known, model, replies, note=f"the language model's reading is not used: {why}")


def _reason(error: ValueError) -> str:
    """Return why a reading is refused; pydantic's own words fill a page."""
    return str(error) if isinstance(error, Refused) else "it does not obey the schema"


def _correction(reply: Reply, why: str) -> list[Message]:
    return [
        Message(role="assistant", content=canonical_json(reply.data)),
        Message(role="user", content=f"That cannot be used: {why}. Answer again, in full."),
    ]


def _with_reading(spec: Specification, model: LanguageModel, replies: list[Reply], note: str = "") -> Specification:
    """Return the specification with what was asked, at what cost and in what time, on its first event."""
    evidence = Reading(
        language=f"{model.name}@{model.version}",
        replies=len(replies),
        tokens_in=sum(r.tokens_in for r in replies),
        tokens_out=sum(r.tokens_out for r in replies),
        cost=sum(r.cost for r in replies),
        note=note,
    )
    first = spec.events[0].model_copy(update={"evidence": evidence, "seconds": sum(r.seconds for r in replies)})
    return spec.model_copy(update={"events": (first, *spec.events[1:])})
