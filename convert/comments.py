"""What the pcapng says beside the packets: who was at both ends of a conversation, as text without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .annotations import PROTOCOL_NAMES, Ends
from .model.rows import UNIX_DATAGRAM, UNIX_STREAM
from .model.synthetic import synthetic_endpoints
from .model.text import readable
from .redact import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversations.rebuilt import Rebuilt
    from .decoded import Decoded
    from .model.process import ThreadVersion
    from .redact import Redactor
    from .scap.identity_store import IdentityStore

LONGEST = 400  # characters of a command line in a comment


class FlowComments:
    """Texts for one input's pcapng."""

    def __init__(self, decoded: Decoded, reader: Rebuilt, identities: IdentityStore, redactor: Redactor) -> None:
        self._decoded, self._reader = decoded, reader
        self._identities, self._redactor = identities, redactor

    def identity(self, thread: int) -> tuple[int, int, str] | None:
        """(pid, tid, name) of a thread version, None where it is not known."""
        if not thread:
            return None
        version = self._identities.get(thread)
        return version.pid, version.tid, self._redactor.text(readable(version.name)[0])

    def comments(self, conversation: int) -> list[str]:
        """The comments of a conversation's first frame: one for the conversation, one for each end."""
        found = self._reader.conversation(conversation)
        conv = found.conv
        ends = Ends(found.totals.client_threads, found.totals.server_threads, conv.client_owner, conv.server_owner)
        out = [f"syswire stream {conv.id} ({PROTOCOL_NAMES[conv.protocol]})"]
        if conv.preexisting:
            out[0] += ", open before the capture began"
        if conv.path:
            out.append(self._redactor.text(f"unix socket {readable(self._decoded.paths[conv.path])[0]}"))
        for side, process, seen in (
            ("client", ends.client_process(), ends.client),
            ("server", ends.server_process(), ends.server),
        ):
            if process:
                manner = "" if seen else ", by the descriptor tables"
                out.append(self._redactor.text(f"{side}: {self._describe(self._identities.get(process))}{manner}"))
        return out

    def _describe(self, version: ThreadVersion) -> str:
        user = readable(version.user)[0] if version.user is not None else version.uid
        text = f"{readable(version.name)[0]} pid={version.pid} tid={version.tid} user={user}"
        if path := version.exepath or version.exe:
            text += f" exe={readable(path)[0]}"
        if version.container:
            text += f" container={version.container}"
        line = version.cmdline if self._redactor.reveal else version.masked_cmdline(MASK.encode())
        command = self._redactor.text(readable(line)[0])  # masked before it is cut, not half a secret after
        return f"{text} cmdline={command[:LONGEST]}"

    def names(self) -> Iterator[tuple[str, str]]:
        """Names for the synthetic addresses of unix sockets."""
        seen: set[int] = set()
        for found in self._reader:
            conv = found.conv
            if conv.protocol in (UNIX_STREAM, UNIX_DATAGRAM) and conv.path and conv.path not in seen:
                seen.add(conv.path)
                address = synthetic_endpoints(conv.id, conv.path)[2]
                yield address, self._redactor.text(readable(self._decoded.paths[conv.path])[0])
