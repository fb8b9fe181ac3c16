"""rusage.py FILE COMMAND...: runs a command to its end and writes what it used, its descendants included, to FILE as JSON:
wall, user and system seconds, and the peak resident bytes of its largest process."""

import json
import os
import signal
import sys
import time

out, *command = sys.argv[1:]
started = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda received, _frame: os.kill(pid, received))
_, status, used = os.wait4(pid, 0)
with open(out, "w") as file:
    json.dump(
        {
            "wall": time.monotonic() - started,
            "user": used.ru_utime,
            "system": used.ru_stime,
            "peakBytes": used.ru_maxrss * 1024,
        },
        file,
    )
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
