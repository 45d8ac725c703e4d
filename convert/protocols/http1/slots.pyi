class Slot:
    """An exchange of HTTP/1 in the making; made by compiled code only (http1.pyx)."""
