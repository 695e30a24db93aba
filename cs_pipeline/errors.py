"""The one exception a user is meant to read.

Every error caused by input, configuration or an unreachable service derives from `UserError`: its message says what
is wrong, where, and what to do. Defects of the program itself are not wrapped.
"""


class UserError(Exception):
    """Something a user can put right; shown as its message alone, without a stack trace."""
