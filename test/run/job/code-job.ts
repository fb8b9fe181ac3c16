import { topic } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job of code: map, predict, process with a state object and timers.
const input = process.env.TEST_INPUT as string;
const output = process.env.TEST_OUTPUT as string;

const main = job({
  name: "code-job",
  schemas: { [input]: { device: "Utf8", timestamp: "Datetime(ms)", x: "Float64" } },
});

topic(input, { key: "device", time: "timestamp" })
  .map(
    (row) => {
      if (row.x === 13) throw new Error(`x is ${row.x}`);
      return { double: 2 * row.x };
    },
    { schema: { double: "Float64" }, keep: ["device", "timestamp"] },
  )
  .predict(({ double }: { double: Float64Array }) => double.map((value) => value + 1), {
    features: "double",
    as: "score",
  })
  .process({
    by: "device",
    state: { count: 0, sum: 0, since: null as Date | null },
    schema: { what: "Utf8", count: "Int64", sum: "Float64" },
    onRow: (row, ctx) => {
      ctx.state.count++;
      ctx.state.sum += row.score;
      ctx.state.since ??= ctx.time;
      ctx.timer(ctx.time.getTime() + 500);
      ctx.emit({ what: "row", count: ctx.state.count, sum: ctx.state.sum });
    },
    onTimer: (_, ctx) => ctx.emit({ what: "quiet", count: ctx.state.count, sum: ctx.state.sum }),
  })
  .to(output, { key: "device" });

await main.run();
