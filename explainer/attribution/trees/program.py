"""A plan packed for the kernels: every test in the order in which it is asked, and where its answer goes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from explainer.attribution.model import IntArray
from explainer.attribution.trees.decide import INDEX, TESTS_TYPE, IndexArray, Tests
from explainer.attribution.trees.forest import Forest, picked
from explainer.attribution.trees.jit import record_type
from explainer.attribution.trees.plan import Plan


class Tops(NamedTuple):
    """Where the answer of each top test goes; a tree numbers its top nodes, groups and deep leaves as cells."""

    start: IndexArray  # (trees + 1,)
    slot: IndexArray
    cell: IndexArray
    left: IndexArray
    right: IndexArray


class Groups(NamedTuple):
    """Of each group: its root's cell, how many players lie on the path there, its tests, its first state."""

    start: IndexArray  # (trees + 1,)
    cell: IndexArray
    prefix: IndexArray
    inner_start: IndexArray  # (groups + 1,)
    state_start: IndexArray  # (groups + 1,)


TOPS_TYPE, GROUPS_TYPE = record_type(Tops, *[INDEX] * 5), record_type(Groups, *[INDEX] * 5)


class Program(NamedTuple):
    """What the kernels need in order to find the state of a row in every group."""

    top_tests: Tests
    tops: Tops
    group_tests: Tests
    groups: Groups


PROGRAM_TYPE = record_type(Program, TESTS_TYPE, TOPS_TYPE, TESTS_TYPE, GROUPS_TYPE)


def pack(forest: Forest, plan: Plan) -> Program:
    """Gather the tests of a plan in the order in which the kernels ask them."""
    cell = _cells(forest, plan)
    tops = Tops(
        start=_index(plan.top_start),
        slot=_index(forest.slot[plan.top]),
        cell=_index(cell[plan.top]),
        left=_index(cell[plan.top + 1]),
        right=_index(cell[forest.right[plan.top]]),
    )
    groups = Groups(
        start=_index(plan.group_start),
        cell=_index(cell[plan.group]),
        prefix=_index(forest.players[plan.group]),
        inner_start=_index(plan.inner_start),
        state_start=_index(plan.state_start),
    )
    return Program(picked(forest.tests, plan.top), tops, picked(forest.tests, plan.inner), groups)


def cells(program: Program) -> int:
    """How many cells the largest tree has, at most."""
    tops, groups = program.tops, program.groups
    highest = [part.max(initial=0) for part in (tops.cell, tops.left, tops.right, groups.cell)]
    return int(max(highest)) + 1


def _cells(forest: Forest, plan: Plan) -> IntArray:
    outside = plan.role != 2
    count = np.cumsum(outside)
    before = np.concatenate([[0], count])[forest.start[:-1]]
    return np.asarray(count - 1 - np.repeat(before, np.diff(forest.start)), dtype=np.int64)


def _index(numbers: IntArray) -> IndexArray:
    return np.ascontiguousarray(numbers, dtype=np.uint32)
