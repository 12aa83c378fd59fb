"""Exceptions raised by the package, all of them derived from `SSNIBError`."""


class SSNIBError(Exception):
    """Base class of every error the package raises on purpose."""


class ParameterError(SSNIBError, ValueError):
    """A parameter set or value is wrong.

    Parameters
    ----------
    problems : str or list of str
        One clear sentence for each problem found.
    """

    def __init__(self, problems: str | list[str]):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class UnknownParameterError(ParameterError, KeyError):
    """A parameter name that nobody knows; the message suggests the nearest one."""

    # KeyError would show the message as repr(message), with its quotes escaped
    __str__ = Exception.__str__


class OptionError(SSNIBError, ValueError):
    """A model option or a protocol setting that is not allowed."""


class MeasuredDataError(SSNIBError, ValueError):
    """A file of measured data that cannot be used."""


class ValidityWarning(UserWarning):
    """A result outside the limits within which its model was checked."""


class NoDerivativesError(SSNIBError):
    """What was asked for has no exact derivatives; differences may do."""
