"""Contenders, and how they take turns."""

import gc
import random
import statistics
import sys

import numpy as np

TURNS = (7, 60)  # of each contender, at least and at most
SMALL_TURN_NS = 3_000_000  # small calls are repeated in a turn until it is this long


class Failure(Exception):
    """A result that is not the oracle's."""


def progress(text):
    """One line that the next replaces; lines of a log where there is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


class Contender:
    """Something that is timed: `time(calls)` gives the nanoseconds of all the calls together. One of these calls may
    be a round of several, by which the milliseconds are divided."""

    def __init__(self, name, time, calls_per_round=1, **facts):
        self.name, self.time, self.facts = name, time, facts
        self.calls_per_round = calls_per_round
        self.calls = 1
        self.turns = 1
        self.by_round = {}  # milliseconds

    @property
    def best(self):
        return min(self.by_round.values())

    @property
    def median(self):
        return statistics.median(self.by_round.values())

    def ratio_to(self, other):
        return statistics.median(self.by_round[turn] / other.by_round[turn] for turn in self.by_round
                                 if turn in other.by_round)


def take_turns(label, contenders, small, seconds, small_turn_ns=SMALL_TURN_NS):
    """Each contender has its number of turns, spread evenly over the rounds: ours and the floor one in each, a slow
    peer one in some. Each round has an order of its own, so that none always follows the same one."""
    for one in contenders:
        one.time(1)
        if small:
            one.calls = max(1, int(small_turn_ns / max(one.time(20) / 20, 1)))
        one.turns = int(np.clip(seconds * 1e9 / max(one.time(one.calls), 1), *TURNS))
    rounds = max(one.turns for one in contenders)
    for one in contenders:
        if one.facts["kind"] != "peer":
            one.turns = rounds
    order = list(contenders)
    shuffle = random.Random(1).shuffle
    gc.collect()
    gc.disable()
    for turn in range(rounds):
        if turn % 10 == 0:
            progress(f"{label}: round {turn + 1} of {rounds}")
        shuffle(order)
        for one in order:
            if (turn + 1) * one.turns // rounds > turn * one.turns // rounds:
                one.by_round[turn] = one.time(one.calls) / (one.calls * one.calls_per_round) / 1e6
    gc.enable()
