"""What a capture may lack, by cause: the closed list (docs/formats.md repeats it), and one cause's tally."""

from __future__ import annotations

from dataclasses import dataclass

CAUSES: dict[str, str] = {
    "snaplen": "system calls or frames were longer than what the recorder kept of each (snaplen); their lengths are "
    "known, the bytes are not",
    "sendfile": "bytes were sent by sendfile or splice and never passed through a buffer that was recorded; their "
    "number is known",
    "not_captured": "bytes moved that are in no event and no frame; what the other end did, or the bytes around them, "
    "show that they did",
    "recorder_dropped": "the recorder said that it dropped events because they came faster than it could write",
    "recorder_not_written": "events were recorded and are not in the file, since its disk was full or the recorder "
    "could not make them out",
    "recorder_not_followed": "system calls were of kinds that the recorder does not follow: of 32-bit programs, or by "
    "io_uring",
    "recorder_filtered": "the recorder was told to leave out what did not fit a filter; what it left out was counted",
    "recorder_unfinished": "the recorder was killed: its counts are those of a second or two before, and what it lost "
    "after them is not known",
    "recorder_counts_unusable": "the recorder's file of counts beside the capture cannot be used; what the recorder "
    "lost is not known",
    "unaddressed": "bytes moved on sockets whose addresses the capture does not tell; they are in no conversation",
    "damaged_event": "event blocks contradict themselves; they were counted and not decoded",
    "damaged_list": "lists of processes, descriptors, users or interfaces end in the middle of an entry; what came "
    "before was used",
    "unknown_event_type": "events are of types that this version does not know; they were counted and not decoded",
    "unknown_block": "blocks are of types that this version does not know; they were skipped",
    "block_trailer_differs": "blocks end with another length than they begin with; they were read by the first",
    "unreadable_rest": "the file is cut or damaged; everything before that place was read, nothing after it",
    "table_full": "threads or descriptors did not fit the bounded tables; their events may lack a process or an"
    " address",
    "unknown_link_type": "frames are of link types that this version does not read; they are in the pcapng, in no "
    "stream",
    "not_followed": "frames are of protocols that are not followed, such as ARP, ICMP or ESP; they are in the pcapng, "
    "in no stream",
    "malformed_packet": "headers are cut off or contradict themselves; the frames are in the pcapng, in no stream",
    "short_frame": "IP packets claim more bytes than their frame had on the wire; what is lacking is a gap",
    "damaged_packet": "blocks of packets contradict themselves; they were counted and left out",
    "damaged_block": "blocks that are no packets contradict themselves; they were left out",
    "damaged_options": "options of blocks do not end where their block does; those that do not fit were left out",
    "fragment_incomplete": "IP fragments are of datagrams that are not whole in the capture; their bytes are in no "
    "stream",
    "fragment_conflict": "IP fragments overlap with other bytes; the first that was captured counts",
    "conflicting_overlap": "TCP segments repeat bytes with another content; the first that was captured counts, what "
    "the receiver took is not known",
    "out_of_window": "TCP segments are too far from the bytes of their connection to belong to it; they are in no "
    "stream",
    "before_start": "TCP segments carry bytes from before their stream's beginning, as probes that keep a connection "
    "alive do; they are in no stream",
    "conversation_evicted": "conversations left the bounded table while they were open; what followed counts as new "
    "ones",
    "overlong": "system calls claim to have moved more bytes than one can; they were cut to the most that is possible",
    "gap_frames_not_written": "frames for missing bytes alone were left out of the pcapng beyond its bound; there the "
    "sequence numbers jump",
}


@dataclass
class Loss:
    """What was lost by one cause: how often, how many bytes (0: not known), and where it happened first."""

    count: int
    bytes: int = 0
    event: int | None = None
    evt_num: int | None = None
    offset: int | None = None
    time: int | None = None
    source_frame: int | None = None
    frame: int | None = None
