"""The group of each system call that generic events carry, as sysdig 0.29.3 sorts them: read off the program with an
event for each number. A call that is not listed, or behind the last, is of the group `unknown`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_GROUPS: Final = {
    "IPC": "25 30 38 154 181-186 194-196 214-216 222 226 229-230 235 240 259-268 276 297",
    "file": (
        "5-10 12-15 17 20 23 26-28 39 49-51 55-59 62-63 80 83 85 104 113 116 118 127 132 141-152 "
        "168 180 197-208 219 238 269-272 278-282 288 292 294-295 320-323 326"
    ),
    "memory": "32 75 91-94 138-139",
    "net": "241-258 277",
    "other": "0 18 68 233-234 237 274 315-316",
    "process": (
        "2 16 33 36-37 41-43 45-46 52-53 60-61 79 82 89 95-98 100-102 106 114-115 117 137 140 "
        "155-158 169 192-193 211-213 217 236 239 273 290 296 327-328"
    ),
    "signal": "107-112 153 179 220 225 275 284-286 289 298",
    "sleep": "99 103 178",
    "system": "1 44 54 64 67 70-71 73-74 76-78 81 187 189-191 287 314 324-325",
    "time": "11 19 22 31 47-48 65-66 170-177 221 223-224 291",
    "user": "119-126 128-131 133-136",
    "wait": "21 35 69 84 105 165-167 188 209-210 218 227 283 293",
}


def _by_number() -> dict[int, str]:
    found: dict[int, str] = {}
    for group, numbers in _GROUPS.items():
        for word in numbers.split():
            first, _, last = word.partition("-")
            found |= dict.fromkeys(range(int(first), int(last or first) + 1), group)
    return found


SYSCALL_CATEGORIES: Final = _by_number()
"""Group by number of the system call."""
