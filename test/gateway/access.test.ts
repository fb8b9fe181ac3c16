import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAccess } from "../../kernel/gateway/access.ts";

const TOKEN = "0123456789abcdef";
const HERE = { host: "127.0.0.1:8090" };

const verdicts: readonly {
  name: string;
  headers: Record<string, string>;
  token?: string;
  status: number;
}[] = [
  { name: "a program of this machine, no token needed", headers: HERE, status: 200 },
  { name: "the gateway's own page", headers: { ...HERE, origin: "http://127.0.0.1:8090" }, status: 200 },
  { name: "a page of elsewhere", headers: { ...HERE, origin: "https://example.org" }, status: 403 },
  { name: "a page of another port", headers: { ...HERE, origin: "http://127.0.0.1:3000" }, status: 403 },
  { name: "a foreign name that leads here", headers: { host: "rebound.example.org:8090" }, status: 403 },
  { name: "no token where one is needed", headers: HERE, token: TOKEN, status: 401 },
  {
    name: "the token as bearer",
    headers: { host: "gateway.example.org", authorization: `Bearer ${TOKEN}` },
    token: TOKEN,
    status: 200,
  },
  {
    name: "the token as websocket protocol, from any page",
    headers: { ...HERE, origin: "https://example.org", "sec-websocket-protocol": `millrace, token.${TOKEN}` },
    token: TOKEN,
    status: 200,
  },
  { name: "a wrong token", headers: { ...HERE, authorization: `Bearer ${TOKEN}0` }, token: TOKEN, status: 401 },
  { name: "half a token", headers: { ...HERE, authorization: "Bearer 01234567" }, token: TOKEN, status: 401 },
];

for (const { name, headers, token, status } of verdicts) {
  test(`${name}: ${status}`, () => {
    const verdict = judgeAccess(headers, token);
    assert.equal(verdict.ok ? 200 : verdict.status, status);
  });
}
