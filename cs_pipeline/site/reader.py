"""Say who asks for a page, and whether they may act."""

from dataclasses import dataclass

READ_ONLY = (
    "This site is read-only, because it does not know who you are. Whoever operates it can add people with "
    "`cs-pipeline user add NAME`, or name the header in which your proxy says who you are (docs/site.md)."
)


@dataclass(frozen=True)
class Reader:
    """A person who is known by `name`, or somebody at this machine whom nobody knows and who may only read.

    `has_signed_in`: with a password here, so they can sign out; a proxy's header does not end.
    """

    name: str = ""
    has_signed_in: bool = False

    @property
    def may_act(self) -> bool:
        """Whether decisions can be recorded as theirs."""
        return bool(self.name)


SOMEBODY = Reader()
