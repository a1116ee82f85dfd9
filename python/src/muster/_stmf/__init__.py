"""STMF, Borg's sealed forms. The public names are those of `muster.stmf`."""

from muster._stmf.task_result import open_result as open  # noqa: A004 - the pair of `seal`
from muster._stmf.task_result import seal_result as seal

__all__ = ["open", "seal"]
