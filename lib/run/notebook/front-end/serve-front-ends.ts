import { type Channel, notebookHost } from "../../host.ts";
import { ChartViewer } from "./chart-viewer.ts";
import { LiveViewer } from "./live-viewer.ts";
import { runningFrames } from "./running-frames.ts";

/** How often the list of streams is told, ms. */
const INTERVAL = 1000;

let served: unknown;

/** Lets front ends look at live frames and steer them. To be called before one is shown. */
export function serveFrontEnds(): void {
  const host = notebookHost();
  if (host?.listen === undefined || served === host) return;
  served = host;
  host.listen("millrace.live", (channel, data) => {
    const frame = runningFrames.get((data as { id?: string } | undefined)?.id);
    if (frame === undefined) channel.send({ gone: true });
    else new LiveViewer(frame, channel);
  });
  host.listen("millrace.chart", (channel, data) => {
    const frame = runningFrames.get((data as { id?: string } | undefined)?.id);
    if (frame?.chart === undefined) channel.send({ gone: true });
    else new ChartViewer(frame, frame.chart, channel);
  });
  host.listen("millrace.streams", streams);
}

/** The running streams, once a second, until the channel closes; `stop`, `pause` and `resume` by id, `stop` without one for all. */
function streams(channel: Channel): void {
  const tell = () => {
    const list = runningFrames.running.map(({ id, title, kind, cellId, status }) => {
      const { state, rate, lag, late, badRecords, kept, rowsOut, openWindows, stateRows, watermark } = status;
      return {
        id,
        title,
        kind,
        cell: cellId ?? null,
        status: { state, rate, lag, late, badRecords, kept, rowsOut, openWindows, stateRows },
        watermark: Number.isNaN(watermark) ? null : watermark,
      };
    });
    channel.send({ streams: list });
  };
  const timer = setInterval(tell, INTERVAL);
  timer.unref();
  channel.onMessage((message) => {
    const { do: action, id } = message as { do?: string; id?: string };
    const frame = runningFrames.get(id);
    if (action === "stop" && id === undefined)
      void Promise.all(runningFrames.running.map((each) => each.stop())).then(tell);
    else if (action === "stop") void frame?.stop().then(tell);
    else if (action === "pause") frame?.pause();
    else if (action === "resume") frame?.resume();
    tell();
  });
  channel.onClose(() => clearInterval(timer));
  tell();
}
