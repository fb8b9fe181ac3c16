"""rusage.py FILE COMMAND...: runs a command to its end and writes what it used, its descendants included, to FILE as JSON:
wall, user and system seconds, and the peak resident bytes of all its processes together."""

import json
import os
import signal
import sys
import threading
import time

out, *command = sys.argv[1:]
started = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda received, _frame: os.kill(pid, received))
peak = 0


def resident(process):
    """Resident bytes of a process and its descendants."""
    try:
        with open(f"/proc/{process}/statm") as file:
            total = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children") as file:
                total += sum(resident(child) for child in file.read().split())
        return total
    except OSError:  # it has ended
        return 0


def look():
    global peak
    while True:
        peak = max(peak, resident(pid))
        time.sleep(0.05)


threading.Thread(target=look, daemon=True).start()
_, status, used = os.wait4(pid, 0)
with open(out, "w") as file:
    json.dump(
        {
            "wall": time.monotonic() - started,
            "user": used.ru_utime,
            "system": used.ru_stime,
            "peakBytes": max(peak, used.ru_maxrss * 1024),
        },
        file,
    )
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
