"""The signals a generated encoder or builder gives; whoever catches one finds out where and why."""

from __future__ import annotations

__all__ = ["Misfit", "TooDeep", "place_of"]


class Misfit(ValueError):
    """A value does not fit its attribute. The text says why and never holds the value."""


class TooDeep(Misfit):
    """A value is nested deeper than DynamoDB takes."""


def place_of(error: BaseException) -> str:
    """What a function of the user's raised, and where: its message may hold values, so it is left out.

    To be called by who called that function: the first frame is the caller's own, and tells nothing.
    """
    trace = error.__traceback__
    trace = trace.tb_next if trace is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{where}"
