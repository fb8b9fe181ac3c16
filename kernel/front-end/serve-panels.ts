import path from "node:path";
import type { Channel, NotebookHost } from "../../lib/run/host.ts";

/**
 * Answers the lab extension: what a deleted cell opened is closed, and its panels are told the topics of the broker and the promotion of the notebook. What those
 * need is loaded when first asked.
 */
export function servePanels(
  host: NotebookHost | undefined,
  { cwd, closeCell }: { readonly cwd: string; closeCell(id: string): void },
): void {
  host?.listen?.("millrace.cells", (_, data) => {
    const { closed } = (data ?? {}) as { closed?: unknown };
    if (Array.isArray(closed)) for (const id of closed) closeCell(String(id));
  });
  host?.listen?.("millrace.topics", (channel) =>
    answering(channel, async ({ list, describe }) => {
      const { describeTopic, listTopics } = await import("./describe-topic.ts");
      if (list === true) return listTopics();
      if (typeof describe === "string") return { topic: await describeTopic(describe) };
      return undefined;
    }),
  );
  host?.listen?.("millrace.promote", (channel) => {
    let cancel = new AbortController();
    channel.onClose(() => cancel.abort());
    answering(channel, async ({ do: what, path: notebook }) => {
      if (what === "cancel") return cancel.abort();
      const { explainPromotion, writeJob } = await import("./promote-notebook.ts");
      // the server's path is relative to its root; this kernel runs in the notebook's folder
      const file = path.join(cwd, path.posix.basename(String(notebook)));
      if (what === "explain") return { html: await explainPromotion(file) };
      cancel = new AbortController();
      const made = await writeJob(file, (said) => channel.send({ said }), cancel.signal);
      return { ...made, folder: path.posix.join(path.posix.dirname(String(notebook)), path.basename(made.folder)) };
    });
  });
}

function answering(channel: Channel, answer: (message: Record<string, unknown>) => Promise<unknown>): void {
  channel.onMessage((message) => {
    answer(message as Record<string, unknown>).then(
      (data) => data !== undefined && channel.send(data),
      (error) => channel.send({ error: (error as Error).message }),
    );
  });
}
