import type { Header } from "../messages/header.ts";
import type { Stream } from "../messages/stream.ts";

type Parent = Header | Record<string, never>;

/** How long text is gathered before it is sent, in ms: a message a line would be dropped by the notebook server's rate limit. */
const INTERVAL = 50;

/** Joins what a cell prints into few messages. Everything else that is published goes out after what was printed before it. */
export class StreamBatcher {
  readonly #publish: (parent: Parent, stream: Stream) => void;
  #waiting: { readonly parent: Parent; readonly name: Stream["name"]; readonly parts: string[] }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(publish: (parent: Parent, stream: Stream) => void) {
    this.#publish = publish;
  }

  add(parent: Parent, { name, text }: Stream): void {
    // A cell's last batch is joined only if nothing else of that cell came after it.
    const last = this.#waiting.findLast((batch) => batch.parent.msg_id === parent.msg_id);
    if (last?.name === name) last.parts.push(text);
    else this.#waiting.push({ parent, name, parts: [text] });
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { parent, name, parts } of waiting) this.#publish(parent, { name, text: parts.join("") });
  }
}
