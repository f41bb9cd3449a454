"""A small model of integers for OR-Tools' CP-SAT solver.

It is written in CP-SAT's own format (CpModelProto) and handed to the solver's compiled half: the Python half,
`ortools.sat.python.cp_model`, loads pandas first, which takes longer than all layouts of a run.
"""

from collections.abc import Sequence
from typing import Any

#: Larger than any sum in a model.
FAR = 10_000_000

#: (factor, variable) pairs: a weighted sum.
Sum = Sequence[tuple[int, int]]


def negated(boolean: int) -> int:
    """Return what is 1 where a boolean is 0, and the other way round."""
    return -1 - boolean


class Model:
    """Integer variables, by number, with what holds of them and what is wished for."""

    def __init__(self) -> None:
        from ortools.sat.python import cp_model_helper

        self._cp_sat = cp_model_helper
        self._proto: Any = cp_model_helper.CpModelProto()

    def integer(self, low: int, high: int) -> int:
        """Return a new variable in [low, high]."""
        self._proto.variables.add().domain.extend([low, high])
        return len(self._proto.variables) - 1

    def boolean(self) -> int:
        """Return a new variable that is 0 or 1."""
        return self.integer(0, 1)

    def hold(self, terms: Sum, low: int = -FAR, high: int = FAR, when: int | None = None) -> None:
        """Have a sum lie in [low, high]: always, or where the boolean `when` is 1."""
        constraint = self._proto.constraints.add()
        constraint.linear.coeffs.extend([factor for factor, _ in terms])
        constraint.linear.vars.extend([variable for _, variable in terms])
        constraint.linear.domain.extend([low, high])
        if when is not None:
            constraint.enforcement_literal.append(when)

    def hold_any(self, booleans: Sequence[int]) -> None:
        """Have one of these be 1."""
        self._proto.constraints.add().bool_or.literals.extend(booleans)

    def wish(self, terms: Sum, target: int) -> None:
        """Have a sum as near to a number as can be."""
        distance = self.integer(0, FAR)
        self.hold([*terms, (-1, distance)], high=target)
        self.hold([*terms, (1, distance)], low=target)
        self._proto.objective.vars.append(distance)
        self._proto.objective.coeffs.append(1)

    def hint(self, variable: int, value: int) -> None:
        """Have the search try a value first."""
        self._proto.solution_hint.vars.append(variable)
        self._proto.solution_hint.values.append(value)

    def solve(self, seed: int, limit: float) -> list[int] | None:
        """Return the value of each variable in the best solution found; None: none was.

        The same model, seed and limit give the same values.

        Args:
            seed: 31 bits.
            limit: of work, in CP-SAT's deterministic seconds.
        """
        parameters = self._cp_sat.SatParameters()
        parameters.num_workers = 1
        parameters.random_seed = seed
        parameters.max_deterministic_time = limit
        parameters.cp_model_presolve = False  # takes longer than solving models of this size
        # The linear relaxation sees at once that sizes cannot be kept; with all cuts it finds what is nearest.
        parameters.linearization_level = 2 if self._proto.has_objective() else 1
        solver: Any = self._cp_sat.SolveWrapper()
        solver.set_parameters(parameters)
        response = solver.solve(self._proto)
        statuses = self._cp_sat.CpSolverStatus
        return list(response.solution) if response.status in (statuses.OPTIMAL, statuses.FEASIBLE) else None
