"""What all kinds of files of instruments have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ssnib_model.measured.text import Source


class FileFormat(ABC):
    """Files of one kind, whatever they hold; subclasses say how it is read."""

    name: ClassVar[str]
    #: How such files usually end, for the documentation.
    suffixes: ClassVar[str]
    #: What is particular about them, for the documentation.
    about: ClassVar[str]

    @abstractmethod
    def opens(self, source: Source) -> bool:
        """Whether a file is of this kind."""
