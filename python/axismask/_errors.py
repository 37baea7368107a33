"""The one exception of the package."""

from __future__ import annotations

import re

# What the library in C says, and how its caller in Python writes it.
_IN_PYTHON = (
    ("set attention_options::projection to", "set projection= to"),
    ("name the device in call_options::device, or give memory", "give memory"),
    ("take one of these, or auto; each device's kernels are a library of their own, axismask::layers_DEVICE",
     "give arrays in the host's memory, or build the wheel with kernels for that device"),
    (", float32 or float64, or a bit_view", ", float32 or float64"),
    ("attention_options::", ""),
    ("options.", ""),
    ("positions::ring", "positions.Ring"),
    ("positions::", "positions."),
)


def _as_written(text: str) -> str:
    for theirs, ours in _IN_PYTHON:
        text = text.replace(theirs, ours)
    return re.sub(r"AXISMASK_(BOOL|B?FLOAT\d+|U?INT\d+)\b", lambda its: its[1].lower(), text)


class Error(Exception):
    """What was wrong with a call. Nothing was written then.

    `str(error)` is one line, `axismask: error[ID] WHERE: what is wrong; the cure`.

    Attributes:
        id: which error, stable: docs/messages.md lists them.
        where: the argument, `logits.axes[1]`, or a JSON pointer, or a file.
        what: what is wrong with it.
        cure: what to write instead.
    """

    def __init__(self, id: str, where: str, what: str, cure: str) -> None:
        super().__init__(id, where, what, cure)
        self.id = id
        self.where = _as_written(where)
        self.what = _as_written(what)
        self.cure = _as_written(cure)

    def __str__(self) -> str:
        return f"axismask: error[{self.id}] {self.where}: {self.what}; {self.cure}"
