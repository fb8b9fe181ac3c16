"""One workload over one topic with Quix Streams, from its beginning to the end it had at the start; then the summary as the last
line on stdout. Settings come from the environment, see bench/peers/quix-streams.ts; the workloads are those of
bench/side-by-side/workloads.ts."""

import json
import os
import time

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Max, Mean

started = time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK"))
env = os.environ
count = int(env["COUNT"])
first = 0.0
left = count


def seen(_topic, _partition, _offset):
    global first, left
    if first == 0.0:
        first = time.time()
    left -= 1
    if left == 0:
        app.stop()


app = Application(
    broker_address=env["KAFKA_BOOTSTRAP_SERVERS"],
    consumer_group=env["GROUP"],
    processing_guarantee=env["GUARANTEE"],
    commit_interval=float(env["COMMIT_INTERVAL_S"]),
    state_dir=env["STATE_DIR"],
    auto_offset_reset="earliest",
    on_message_processed=seen,
    loglevel="WARNING",
)


def with_total(row):
    row["gForceTotal"] = abs(row["gForceX"]) + abs(row["gForceY"]) + abs(row["gForceZ"])
    return row


def with_delta(row, state):
    total = row["gForceTotal"]
    previous = state.get("previous")
    row["delta"] = None if previous is None else total - previous
    state.set("previous", total)
    return row


def named(window):
    return {
        "window_start": window["start"],
        "window_end": window["end"],
        "n": window["n"],
        "mean": window["mean"],
        "max": window["max"],
    }


readings = app.dataframe(app.topic(env["INPUT"], key_deserializer="str", value_deserializer="json")).apply(with_total)
output = app.topic(env["OUTPUT"], key_serializer="str", value_serializer="json")
workload = env["WORKLOAD"]
if workload == "w1":
    readings.filter(lambda row: row["gForceTotal"] > 2.0).to_topic(output)
elif workload == "w2":
    readings.apply(with_delta, stateful=True).to_topic(output)
elif workload in ("w3", "w4"):
    windows = readings.tumbling_window(1000) if workload == "w3" else readings.hopping_window(5000, 1000)
    (
        windows
        .agg(n=Count(), mean=Mean("gForceTotal"), max=Max("gForceTotal"))
        .final(closing_strategy="partition")
        .apply(named)
        .to_topic(output)
    )
else:
    raise SystemExit(f"there is no workload {workload}")

app.run()
last = time.time()
print(
    json.dumps(
        {
            "rowsIn": count,
            "secondsSinceFirst": round(last - first, 3),
            "secondsTotal": round(last - started, 3),
        }
    )
)
