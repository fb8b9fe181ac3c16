import { createHash, timingSafeEqual } from "node:crypto";
import type http from "node:http";

/** The websocket protocol a browser names beside its token, as it cannot set headers: `["millrace", "token.SECRET"]`. */
export const PROTOCOL = "millrace";
const TOKEN_PROTOCOL = "token.";

/** What a token may be: text that fits both a header and a websocket protocol, and is not guessed. */
export const TOKEN_FORM = /^[A-Za-z0-9._~+-]{16,256}$/;

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly status: 401 | 403; readonly why: string };

const OK: Verdict = { ok: true };

/**
 * May this request open a websocket? With a token: whoever gives it, as `Authorization: Bearer` or as a websocket protocol. Without one: programs and
 * pages of this machine only. A foreign page is known by its origin, and a foreign name that was made to lead here (DNS rebinding) by the host.
 */
export function judgeAccess(headers: http.IncomingHttpHeaders, token: string | undefined): Verdict {
  if (token !== undefined) {
    const given = givenToken(headers);
    if (given === undefined) return { ok: false, status: 401, why: "a token is needed" };
    return sameText(given, token) ? OK : { ok: false, status: 401, why: "the token is wrong" };
  }
  const host = headers.host ?? "";
  if (!/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(host))
    return { ok: false, status: 403, why: "without a token only this machine is answered" };
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    return { ok: false, status: 403, why: "without a token a page of another origin is not answered" };
  return OK;
}

function givenToken({ authorization, "sec-websocket-protocol": protocols }: http.IncomingHttpHeaders) {
  if (authorization?.startsWith("Bearer ")) return authorization.slice("Bearer ".length);
  const offered = (protocols ?? "").split(",").map((protocol) => protocol.trim());
  return offered.find((protocol) => protocol.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
}

/** In a time that tells nothing of where they differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
