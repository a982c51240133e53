"""How fast a client must take an answer, so that none holds a thread or a connection for days:
by reading a byte now and then.

What counts is the average since the answer began. A proxy such as nginx takes tens of MB at once,
and then nothing until its own client has caught up with them, which may take minutes.
"""

from __future__ import annotations

from typing import Final

# 4 kB/s; what lies in buffers of the system or of a proxy counts as taken
LEAST_BYTES: Final = 256 << 10
WITHIN_S: Final = 60.0


class ClientPace:
    """One client's: it is given up at ``until_s``, which each byte that it takes puts off.
    Times are seconds of one clock.
    """

    def __init__(self, now_s: float) -> None:
        self.begin(now_s)

    def begin(self, now_s: float) -> None:
        """Begin an answer; what was taken of earlier ones does not count."""
        self.until_s = now_s + WITHIN_S

    def catch_up(self, now_s: float) -> None:
        """Note that nothing waits for the client; it has WITHIN_S from now at least."""
        self.until_s = max(self.until_s, now_s + WITHIN_S)

    def take(self, count: int) -> None:
        """Note that it took so many bytes."""
        self.until_s += count * WITHIN_S / LEAST_BYTES
