"""The descriptors of a process, from /proc/PID/fd and fdinfo.

Nothing here waits for a file system: whether an open file is a directory is asked of the file system only where that
is the kernel's own, not where a server or a user's program would have to answer. Sockets are returned by inode; which
socket that is is known when all processes have been read (snapshot.py).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from ..convert.scap.snapshot import (
    FD_DIRECTORY,
    FD_EPOLL,
    FD_EVENTFD,
    FD_FIFO,
    FD_INOTIFY,
    FD_SIGNALFD,
    FD_TIMERFD,
    FD_UNSUPPORTED,
    File,
    Named,
)

# Kinds above 16 (bpf, io_uring, pidfd ...) make sysdig 0.29.3 refuse the whole file: they are told as unsupported.
_ANONYMOUS = {
    b"eventpoll": FD_EPOLL,
    b"eventfd": FD_EVENTFD,
    b"inotify": FD_INOTIFY,
    b"signalfd": FD_SIGNALFD,
    b"timerfd": FD_TIMERFD,
}
_KERNELS_OWN = frozenset(
    b"bcachefs binfmt_misc bpf btrfs cgroup cgroup2 configfs cramfs debugfs devpts devtmpfs efivarfs erofs exfat ext2 "
    b"ext3 ext4 f2fs hugetlbfs iso9660 jfs mqueue msdos nilfs2 nsfs ntfs3 overlay proc pstore ramfs reiserfs rootfs "
    b"securityfs selinuxfs squashfs sysfs tmpfs tracefs udf vfat xfs zfs".split()
)
_SIMPLE_FLAGS = (
    (os.O_APPEND, 8),
    (os.O_NONBLOCK, 64),
    (os.O_DIRECT, 512),
    (os.O_DIRECTORY, 1024),
    (0o100000 if os.O_DIRECTORY == 0o200000 else 0o400000, 2048),  # O_LARGEFILE: x86 or Arm; Python has 0 for it
    (os.O_CLOEXEC, 4096),
)
_ACCESS = {os.O_RDONLY: 1, os.O_WRONLY: 2, os.O_RDWR: 3}
_SMALL = 4096


@dataclass(frozen=True, slots=True)
class SocketInode:
    """A descriptor that is a socket, which one is told by its inode."""

    fd: int
    inode: int


Raw = Named | File | SocketInode


@dataclass(slots=True)
class Mounts:
    """Mounts by their number, which is one numbering for all mount namespaces: device and kind of file system.

    The device is what stat(2) tells, cut to the 32 bits that the list has for it.
    """

    known: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    def read(self, text: bytes) -> None:
        """Add the lines of a /proc/PID/mountinfo."""
        for line in text.split(b"\n"):
            fields = line.split(b" ")
            try:
                major, _, minor = fields[2].partition(b":")
                kind = fields[fields.index(b"-", 6) + 1]
                self.known[int(fields[0])] = (os.makedev(int(major), int(minor)) & 0xFFFFFFFF, kind)
            except (ValueError, IndexError):
                continue


@dataclass(slots=True)
class Descriptors:
    """What was read of one process; `refused`: we may not look; `left_out`: beyond the bound."""

    found: list[Raw] = field(default_factory=list)
    refused: bool = False
    left_out: int = 0


def read_descriptors(process: int, mounts: Mounts, most: int) -> Descriptors:
    """The descriptors of the process whose directory in /proc is open as `process`, in their order, `most` at most.

    One that is closed meanwhile is left out. Raises ProcessLookupError where the process ended.
    """
    result = Descriptors()
    try:
        listing = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    except PermissionError:
        result.refused = True
        return result
    except FileNotFoundError:
        return result  # a process that ended and was not waited for
    try:
        numbers = numbered(listing)
        result.left_out = max(0, len(numbers) - most)
        looked_up = False
        for number in numbers[:most]:
            try:
                link = os.readlink(b"%d" % number, dir_fd=listing)
                one = _special(number, link)
                if one is None:
                    info = read_small(process, f"fdinfo/{number}")
                    if not looked_up and mount_of(info) not in mounts.known:
                        looked_up = True
                        mounts.read(_mountinfo(process))
                    one = _file(number, link, info, listing, mounts)
            except FileNotFoundError:
                continue
            except PermissionError:
                result.refused = True
                return result
            result.found.append(one)
    finally:
        os.close(listing)
    return result


def _special(number: int, link: bytes) -> Raw | None:
    """What the link's text alone tells: sockets, pipes, the kernel's own objects; None for files."""
    if link.startswith(b"/"):
        return None
    kind, _, rest = link.partition(b":")
    inode = int(rest[1:-1]) if rest.startswith(b"[") and rest[1:-1].isdigit() else 0
    if kind == b"socket":
        return SocketInode(number, inode)
    if kind == b"pipe":
        return Named(number, FD_FIFO, link, inode)
    if kind == b"anon_inode":
        what = rest.strip(b"[]").partition(b":")[0]  # newer kernels number event descriptors within the brackets
        return Named(number, _ANONYMOUS.get(what, FD_UNSUPPORTED), link, inode)
    return Named(number, FD_UNSUPPORTED, link, inode)


def _file(number: int, link: bytes, info: bytes, listing: int, mounts: Mounts) -> Raw:
    fields = dict(line.split(b":\t", 1) for line in info.split(b"\n") if b":\t" in line)
    flags = int(fields.get(b"flags", b"0"), 8)
    inode = int(fields.get(b"ino", b"0"))  # since Linux 5.14
    device, kind = mounts.known.get(mount_of(info), (0, b""))
    mode = stat.S_IFDIR if flags & os.O_DIRECTORY else stat.S_IFREG
    if kind in _KERNELS_OWN:
        known = os.stat(str(number), dir_fd=listing)
        mode, inode = known.st_mode, known.st_ino
    if stat.S_ISDIR(mode):
        return Named(number, FD_DIRECTORY, link, inode)
    if stat.S_ISFIFO(mode):
        return Named(number, FD_FIFO, link, inode)
    return File(number, link, open_flags(flags), device, inode)


def mount_of(info: bytes) -> int:
    """The number of the mount in a descriptor's fdinfo; -1 where it is not told."""
    at = info.find(b"mnt_id:")
    return int(info[at + 7 : info.index(b"\n", at)]) if at >= 0 else -1


def open_flags(linux: int) -> int:
    """Linux's flags of an open file as PPM_O_*."""
    flags = _ACCESS.get(linux & os.O_ACCMODE, 0)
    for bit, ours in _SIMPLE_FLAGS:
        if linux & bit:
            flags |= ours
    if linux & os.O_SYNC == os.O_SYNC:
        flags |= 128
    elif linux & os.O_DSYNC:
        flags |= 16
    if linux & os.O_TMPFILE == os.O_TMPFILE:
        flags |= 8192
    return flags


def read_small(process: int, name: str, limit: int = _SMALL) -> bytes:
    """The beginning of a file below an open directory of /proc, in one read where that is enough.

    Raises FileNotFoundError or ProcessLookupError where the process or the thread ended, PermissionError.
    """
    file = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=process)
    try:
        content = os.read(file, limit)
        if limit > _SMALL:
            while content and len(content) < limit and (more := os.read(file, limit - len(content))):
                content += more
        return content
    finally:
        os.close(file)


def numbered(folder: int | str) -> list[int]:
    """The entries of a folder of /proc, or of the one that is open, whose names are numbers, in order."""
    with os.scandir(folder) as entries:
        return sorted(int(entry.name) for entry in entries if entry.name.isdigit())


def _mountinfo(process: int) -> bytes:
    try:
        return read_small(process, "mountinfo", 1 << 22)
    except OSError:
        return b""  # it is ending, or not ours to see: its files are told without a device
