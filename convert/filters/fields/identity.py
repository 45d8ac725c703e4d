"""user.* and group.*: on whose behalf, by the lists at the head of the file."""

from __future__ import annotations

from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ...trace.model import Event, User
    from .field import Value

NOBODY: Final = 0xFFFFFFFF


def user(event: Event, uid: int | None) -> User | None:
    """The user of that id; None where the list does not have it."""
    return None if uid is None or uid in (-1, NOBODY) else event.trace.users.get(uid)


def uid(event: Event, argument: str | None) -> Value:
    """user.uid; all ones where it is not known."""
    if event.thread is None:
        return None
    return NOBODY if event.thread.uid is None else event.thread.uid & NOBODY


def gid(event: Event, argument: str | None) -> Value:
    """group.gid; all ones where it is not known."""
    if event.thread is None:
        return None
    return NOBODY if event.thread.gid is None else event.thread.gid & NOBODY


def loginuid(event: Event, argument: str | None) -> Value:
    """user.loginuid; -1 where nobody logged in."""
    known = None if event.thread is None else event.thread.loginuid
    if event.thread is None:
        return None
    return -1 if known is None or known == NOBODY else known


def name(event: Event, argument: str | None) -> Value:
    """user.name"""
    found = user(event, None if event.thread is None else event.thread.uid)
    return None if found is None else found.name


def home(event: Event, argument: str | None) -> Value:
    """user.homedir"""
    found = user(event, None if event.thread is None else event.thread.uid)
    return None if found is None else found.home


def shell(event: Event, argument: str | None) -> Value:
    """user.shell"""
    found = user(event, None if event.thread is None else event.thread.uid)
    return None if found is None else found.shell


def login_name(event: Event, argument: str | None) -> Value:
    """user.loginname"""
    found = user(event, None if event.thread is None else event.thread.loginuid)
    return None if found is None else found.name


def group_name(event: Event, argument: str | None) -> Value:
    """group.name"""
    known = None if event.thread is None else event.thread.gid
    found = None if known is None else event.trace.groups.get(known)
    return None if found is None else found.name


FIELDS: Final = (
    Field("user.uid", "uint32", "P", "none", "Id of the user.", uid, "id"),
    Field("user.name", "charbuf", "P", "none", "Name of the user.", name),
    Field("user.homedir", "charbuf", "P", "none", "Home directory of the user.", home),
    Field("user.shell", "charbuf", "P", "none", "Shell of the user.", shell),
    Field("user.loginuid", "int32", "P", "none", "Id of the user who logged in; -1 if nobody did.", loginuid, "id"),
    Field("user.loginname", "charbuf", "P", "none", "Name of the user who logged in.", login_name),
    Field("group.gid", "uint64", "P", "none", "Id of the group.", gid, "id"),
    Field("group.name", "charbuf", "P", "none", "Name of the group.", group_name),
)
