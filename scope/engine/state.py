"""What a run knows between two nodes: plain JSON, sealed by its own sha256, kept by LangGraph in the run's database."""

import sqlite3
from collections.abc import Sequence
from typing import Annotated, Any, Self

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START
from pydantic import model_validator

from scope.config import Options
from scope.engine.outcome import Outcome, tally
from scope.engine.ranking import best_of, priorities_of
from scope.errors import ScopeError, StateCorrupt
from scope.runs.repair_stats import Gain
from scope.runs.store import Run
from scope.specification import Draft, Event, Model, RepairResult, Specification, Status, Verdict, fold, sha256_of

STOP = "stop"  # in place of a strategy: a person wants no more repairs


class Sealed(Model):
    """A value that carries the sha256 of the rest of it.

    SQLite's own check finds no changed bit, and most of them would load as another value.
    """

    sha256: str = ""  # set by `sealed`

    @classmethod
    def unsealed(cls, **fields: Any) -> Self:
        """Return a new value that has no seal yet."""
        return cls.model_construct(**fields)

    def sealed(self) -> dict[str, Any]:
        """Return the value as plain JSON with its seal."""
        plain = self.model_dump(mode="json", exclude={"sha256", *self._with_seals_of_their_own})
        return plain | {"sha256": sha256_of(plain)}

    @property
    def _with_seals_of_their_own(self) -> frozenset[str]:
        """Return the fields that have seals of their own."""
        return frozenset()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sha256 != self.sealed()["sha256"]:
            raise StateCorrupt(f"the {type(self).__name__.lower()} does not match its sha256")
        return self


class Made(Sealed):
    """What one call of the generator gave: drafts, or the reason why there are none.

    `place` is that of its first draft in the round, from 0; `seconds` the time that it took.
    """

    round: int
    place: int
    count: int  # of places
    drafts: tuple[Draft, ...] = ()
    refusal: str = ""
    seconds: float = 0.0


def merged(made: Sequence[Any], more: Sequence[Any]) -> list[Any]:
    """Return both lists of `Made`; where one call was made twice, it counts once. LangGraph's reducer."""
    return list({(m["round"], m["place"]): m for m in map(_as_plain, (*made, *more))}.values())


def _as_plain(made: Any) -> dict[str, Any]:
    plain: dict[str, Any] = made.model_dump(mode="json") if isinstance(made, Made) else made
    return plain


class State(Sealed):
    """All that a run knows. Pictures are named by path and hash.

    Drafts that are made side by side come in through `made`; `collected` takes them over.
    """

    prompt: str
    options: Options
    events: tuple[Event, ...] = ()
    drafts: tuple[Draft, ...] = ()
    verdicts: dict[str, tuple[Verdict, ...]] = {}
    round: int = 0  # repairs made, and answers dropped
    attempted: int = 0  # places of this round for which a draft was asked
    made: Annotated[tuple[Made, ...], merged] = ()
    parent: str | None = None  # the draft that this round repairs
    repairing: bool = False  # whether a repair opened this round
    ran: dict[str, int] = {}  # how often each skill of `ground` ran since the last `bind`
    repairs: tuple[RepairResult, ...] = ()  # what each did
    gains: dict[str, Gain] = {}  # what was known of repairs when the run began
    chosen: str | None = None  # the strategy of the next repair, where a person chose it
    cost: float = 0.0  # of all parts that cost, over all resumptions
    seconds: dict[str, float] = {}  # by node, over all resumptions
    notes: tuple[str, ...] = ()  # for the reader
    done: bool = False

    @classmethod
    def begin(
        cls, prompt: str, options: Options, gains: dict[str, Gain] | None = None, given: Specification | None = None
    ) -> "State":
        """Return the state before the first node, not yet sealed; `given` is what the prompt is to be read as."""
        return cls.unsealed(prompt=prompt, options=options, gains=gains or {}, events=given.events if given else ())

    @property
    def spec(self) -> Specification:
        """Return the specification that the events fold to."""
        return fold(self.prompt, self.events)

    @property
    def best(self) -> Draft | None:
        """Return the best draft so far."""
        return best_of(self.drafts, self.verdicts, priorities_of(self.spec))

    @property
    def repaired(self) -> Draft | None:
        """Return the draft that this round repairs."""
        return next((draft for draft in self.drafts if draft.id == self.parent), None)

    @property
    def new(self) -> tuple[Draft, ...]:
        """Return the drafts of this round."""
        made = sorted((m for m in self.made if m.round == self.round), key=_place)
        return tuple(draft for m in made for draft in m.drafts)

    @property
    def out_of_time(self) -> bool:
        """Return whether the time budget is spent."""
        limit = self.options.max_time
        return limit is not None and sum(self.seconds.values()) >= limit

    @property
    def repairable(self) -> bool:
        """Return whether another draft could change a verdict."""
        return bool(self.spec.where(Status.VIOLATED, Status.BLOCKED))

    @property
    def out_of_images(self) -> bool:
        """Return whether as many drafts were made as may be."""
        return self.options.max_images is not None and len(self.drafts) >= self.options.max_images

    @property
    def out_of_money(self) -> bool:
        """Return whether the cost budget is spent."""
        return self.options.max_cost is not None and 0 < self.options.max_cost <= self.cost

    @property
    def out_of_budget(self) -> bool:
        """Return whether any budget is spent."""
        return self.out_of_time or self.out_of_images or self.out_of_money

    def after(self, spec: Specification, **changes: Any) -> "State":
        """Return the state with another specification and other changes, not yet sealed."""
        return self.model_copy(update={"prompt": spec.prompt, "events": spec.events, **changes})

    @property
    def _with_seals_of_their_own(self) -> frozenset[str]:
        return frozenset({"made"})

    def collected(self) -> "State":
        """Return the state with the drafts that were made since, in the order of their places.

        Calls that ran side by side count as the longest of them.
        """
        new = sorted((m for m in self.made if m.round == self.round and m.place >= self.attempted), key=_place)
        refusals = dict.fromkeys(f"a repair could not be drawn: {m.refusal}" for m in new if m.refusal)
        spent = self.seconds.get("generate", 0.0) + max((m.seconds for m in new), default=0.0)
        return self.model_copy(
            update={
                "drafts": (*self.drafts, *(draft for m in new for draft in m.drafts)),
                "attempted": self.options.drafts if refusals else sum(m.count for m in new) + self.attempted,
                "seconds": self.seconds | {"generate": spent} if new else self.seconds,
                "notes": tuple(dict.fromkeys((*self.notes, *refusals))),
            }
        )

    def outcome(self, run_id: str) -> Outcome:
        """Return the run as it stands."""
        best = self.best
        live = sum(status is not Status.WAIVED for status in self.spec.statuses().values())
        all_met = best is not None and tally(self.verdicts[best.id]).met == live
        return Outcome(
            run=run_id,
            exit=0 if all_met else 4 if self.out_of_budget else 3,
            best=best,
            spec=self.spec,
            drafts=self.drafts,
            verdicts=self.verdicts,
            seconds=self.seconds | {"total": sum(self.seconds.values())},
            notes=self.notes,
            repairs=self.repairs,
            cost=self.cost,
        )


class Wave(Sealed):
    """What one call of the generator is to make: `count` drafts of this round, from `place` on."""

    state: State
    place: int
    count: int


def _place(made: Made) -> int:
    return made.place


def saver(connection: sqlite3.Connection) -> SqliteSaver:
    """Return LangGraph's saver. It may load no classes: the state is plain JSON."""
    checkpoints = SqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=[]))
    checkpoints.setup()
    return checkpoints


def stored(run: Run, checkpoints: SqliteSaver) -> State | None:
    """Return the newest stored state of a run; None: it was never started.

    Raises: StateCorrupt if the state cannot be read, is not what was written, or has vanished.
    """
    try:
        checkpoint = checkpoints.get_tuple({"configurable": {"thread_id": run.id}})
        if checkpoint is None:
            if any(run.drafts.glob("*")):
                raise StateCorrupt("state.sqlite: the state is gone")
            return None
        channels = checkpoint.checkpoint["channel_values"]
        values = channels.get(START, channels)  # stopped before the first node: the input is all there is
        return State.model_validate({name: values[name] for name in State.model_fields if name in values})
    except StateCorrupt as error:
        raise run.corrupt(str(error)) from error
    except (ScopeError, sqlite3.Error):
        raise
    except Exception as error:  # damaged bytes make the decoder raise almost anything
        raise run.corrupt(f"state.sqlite: {type(error).__name__}") from error
