"""Real servers on loopback, one a file, and what their own clients say to them: the same in every run.

Each server has a folder and an address (127.86.0.N) of its own, so nothing that the machine serves is in the way, and
ports that nobody expects its protocol on. Nothing that the machine has configured is read or changed. Needs root:
servers that refuse it run as another user. Passwords are invented.

What is large is so in a way that no byte is beyond the 65,000 that a recording keeps of one call on both ends at once:
the sender's calls or the receiver's are shorter.
"""
