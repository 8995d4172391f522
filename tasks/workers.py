"""Worker processes for rules that need CPU."""

from __future__ import annotations

import os
import signal
import threading
import time


def quit_with_parent() -> None:
    """Ends this process when its parent is gone, and leaves Ctrl-C to the parent.

    A pool's workers hold both ends of its pipes, so without this a parent that was killed would leave them for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
