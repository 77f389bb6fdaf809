"""The failures that are expected, and who can mend them.

::

    RefinerError
    ├── InputError    the person can mend it: too long, empty, unreadable
    └── ServiceError  the person cannot
        ├── EngineError   a model that writes could not be loaded or failed
        ├── JudgeError    a judge could not be built (a failed check is a Verdict, not an error)
        └── StoreError    a rating could not be kept

The page and the command line catch `RefinerError` and show its message, which says what to do next. Any other exception
is a bug and stays loud.
"""


class RefinerError(Exception):
    """The root. Its message is written for the person at the page."""


class InputError(RefinerError):
    """The input cannot be used. The message says how to mend it. ``field`` names the page's field, if it is about one."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message, field)
        self.field = field

    def __str__(self) -> str:
        return str(self.args[0])


class ServiceError(RefinerError):
    """Something behind the page failed."""


class EngineError(ServiceError):
    """The model could not be loaded or stopped working."""


class JudgeError(ServiceError):
    """The judge as a whole could not be built or reached."""


class StoreError(ServiceError):
    """Ratings could not be written or read."""
