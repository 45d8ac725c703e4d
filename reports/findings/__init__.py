"""The rules, and the judging of annotations by them."""

from .collection import Findings
from .judge import judge

__all__ = ["Findings", "judge"]
