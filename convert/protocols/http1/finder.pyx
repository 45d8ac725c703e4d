# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Secrets of the exchanges of one HTTP/1 conversation: where to look, and what became of them.

Most messages have nothing to look at: they are told by what their heads were noted for (scan.pyx).
"""

from libc.stdint cimport uint64_t

from syswire.convert.model.sighting import UNKNOWN
from syswire.convert.protocols.http.memory import Memory
from syswire.convert.protocols.http.outcome import LOOKED_AT, is_judged_by_body, outcome
from syswire.convert.protocols.http.sightings import find_secrets, given_cookies, sent_cookies
from syswire.convert.protocols.http1.bodies cimport Body, content_of
from syswire.convert.protocols.http1.heads cimport HeadText
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.owner cimport Owner
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http1.slots cimport Slot, may_hold_secrets


cdef class Finder(Owner):
    """What its fields mean is in finder.pxd."""

    cdef int _find(self, Slot slot, Body body, object content) except -1:
        """A request has passed; `content`: what was found in its body, if anything."""
        if may_hold_secrets(slot):
            memory = None if slot.head.authorizations is None and slot.head.telling is None else self._memory()
            self._add_secrets(slot, find_secrets(
                slot.request, slot.head, slot.text, slot.kept, body is not None and body.done, content, memory
            ))
        if slot.head.cookie is not None and (self.last_cookies is None or slot.head.cookie != self.last_cookies):
            self._find_cookies(slot)
        return 0

    cdef int _hear(self, Slot slot, Head head, HeadText text) except -1:
        """A response's head: challenges, and cookies where there is a text of it."""
        if head.challenged:
            self._memory().hear(head.headers)
        if text is not None:
            self._add_secrets(slot, given_cookies(slot.request, slot.response, text, self._memory()))
        return 0

    cdef object _memory(self):
        if self.remembered is None:
            self.remembered = Memory()
        return self.remembered

    cdef int _find_cookies(self, Slot slot) except -1:
        """Those of the client that were not seen before."""
        self.last_cookies = slot.head.cookie
        self._add_secrets(slot, sent_cookies(
            slot.request, slot.text, slot.head.cookie, slot.head.cookie_begin, slot.head.cookie_end, self._memory()
        ))
        return 0

    cdef int _add_secrets(self, Slot slot, object secrets) except -1:
        """More secrets of an exchange that was not handed out yet."""
        if secrets:
            slot.secrets = [*slot.secrets, *secrets] if slot.secrets else secrets
            self._charge(slot, secrets)
        return 0

    cdef int _charge(self, Slot slot, object secrets) except -1:
        """Count bytes of secrets that wait with their exchange."""
        cdef uint64_t size = sum([len(secret.raw) for secret in secrets])
        slot.cost += size
        self.cost += size
        return 0

    cdef int _expect_verdict(self, Slot slot, Head head) except -1:
        """A body follows: look into it for what became of a password."""
        cdef bint judged = slot.request_over and slot.secrets and is_judged_by_body(slot.secrets, slot.status)
        self.content = content_of(self.sink, False, head, self.objects, judged)
        if judged:
            self.kept = Kept()
            self.kept.room = LOOKED_AT
        return 0

    cdef int _judge(self, Slot slot, Body body, object content) except -1:
        """A response has passed: say what became of the secrets of its request."""
        cdef bytes said = None
        if content is not None and content.decoder is not None:
            said = bytes(content.form) if content.form else None
        elif body is not None and body.kept is not None and body.kept.runs and not body.kept.begins_cut:
            said = bytes(body.kept.runs[0])
        for secret in slot.secrets:
            secret.outcome = outcome(secret, slot.response, said)
        return 0

    cdef int _hand_out_secrets(self, Slot slot, object secrets) except -1:
        for secret in secrets:
            secret.exchange = slot.ordinal
            if slot.response is not None and secret.outcome == UNKNOWN:
                secret.outcome = outcome(secret, slot.response)
            self.sink.sighting(secret)
        return 0
