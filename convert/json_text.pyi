class JsonText:
    """JSON text that grows, spelled as msgspec spells it; for compiled code (json_text.pxd)."""

    def encode(self, value: str | int | bool | list[tuple[str, str]] | None) -> bytes:
        """One value by itself: a list is one of pairs of strings. Raises TypeError on anything else."""

    def moment(self, ns: int) -> bytes:
        """A time in nanoseconds since the epoch as model.text.timestamp writes it, in quotation marks."""
