import type { LanguagePort } from "../language/client.ts";
import type { CompleteReply, CompleteRequest } from "../messages/complete.ts";
import type { InspectReply, InspectRequest } from "../messages/inspect.ts";
import type { IsCompleteReply, IsCompleteRequest } from "../messages/is-complete.ts";

export async function completeReply(language: LanguagePort, request: CompleteRequest): Promise<CompleteReply> {
  const { cursor_pos: cursor } = request;
  const code = codeOf(request);
  const { matches, cursorStart, cursorEnd, items } = await language.complete(code, cursor ?? [...code].length);
  const kinds = items.map((item) => ({ ...item, start: cursorStart, end: cursorEnd }));
  return {
    status: "ok",
    matches,
    cursor_start: cursorStart,
    cursor_end: cursorEnd,
    metadata: { _jupyter_types_experimental: kinds },
  };
}

export async function inspectReply(language: LanguagePort, request: InspectRequest): Promise<InspectReply> {
  const { cursor_pos: cursor, detail_level: detail = 0 } = request;
  const code = codeOf(request);
  const inspection = await language.inspect(code, cursor ?? [...code].length, detail);
  if (!inspection.found) return { status: "ok", found: false, data: {}, metadata: {} };
  const data = { "text/plain": inspection.plain, "text/markdown": inspection.markdown };
  return { status: "ok", found: true, data, metadata: {} };
}

/**
 * How long the language thread has for an answer to a console, in ms; it is busy for a while after the start. `jupyter console` waits a second, and when nothing
 * has come by then it never asks again.
 */
const CONSOLE_WAITS = 250;

export async function isCompleteReply(language: LanguagePort, request: IsCompleteRequest): Promise<IsCompleteReply> {
  const code = codeOf(request);
  const here = Promise.withResolvers<IsCompleteReply>();
  const timer = setTimeout(() => {
    // The parser alone is enough, but it takes memory a second time: only where it is needed.
    const parsed = import("../language/is-complete.ts").then(({ isComplete }) => isComplete(code));
    here.resolve(parsed);
  }, CONSOLE_WAITS);
  try {
    return await Promise.race([language.isComplete(code), here.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf({ code }: { readonly code: string }): string {
  if (typeof code !== "string") throw new TypeError("it has no code");
  return code;
}
