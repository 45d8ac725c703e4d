"""What a trace says of containers: each event that describes one, by its JSON."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, ValuesView
    from typing import Final

    from .model import Event, Trace

MAX_CONTAINERS: Final = 65_536
"""As many as a trace keeps; what comes behind is left out."""
MOST_WAITING: Final = 64


class Descriptions(dict[str, object]):
    """Containers by id. The JSON is taken apart when somebody looks: most readings never do, and are spared msgspec."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Take up the JSON of an event; the last description of a container holds."""
        self._waiting.append(data)
        if len(self._waiting) >= MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        if not self._waiting:
            return
        from .container_json import described

        waiting, self._waiting = self._waiting, []
        for data in waiting:
            found = described(data)
            if found is not None and (found.id in self or len(self) < MAX_CONTAINERS):
                self[found.id] = found

    def get(self, name: str, default: object = None) -> object:
        """The description of that container, else the default."""
        self._settle()
        return super().get(name, default)

    def __getitem__(self, name: str) -> object:
        self._settle()
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._settle()
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self._settle()
        return super().__iter__()

    def __len__(self) -> int:
        self._settle()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All ids."""
        self._settle()
        return super().keys()

    def items(self) -> ItemsView[str, object]:  # type: ignore[override]
        """All ids and descriptions."""
        self._settle()
        return super().items()

    def values(self) -> ValuesView[object]:  # type: ignore[override]
        """All descriptions."""
        self._settle()
        return super().values()


def describe(trace: Trace, event: Event) -> None:
    """Take up what a container event says."""
    data = event.param("json")
    if data:
        if not isinstance(trace.containers, Descriptions):
            trace.containers = Descriptions()
        trace.containers.add(data)
