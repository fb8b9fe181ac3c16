import { createHash } from "node:crypto";

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; background: #fff; }
  #status { color: #4a5565; }
  #status.lost { color: #b3261e; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: 0.35rem 0.8rem 0.35rem 0; border-bottom: 1px solid #e4e8ee; vertical-align: top; }
  td:first-child { white-space: nowrap; }
  td:last-child { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
  tbody tr:first-child { background: #fff6e5; }
`;

/** The newest first; what a record holds is only ever text on the page, never markup. A lost connection is taken up again. */
const SCRIPT = `
  const SHOWN = 200;
  const rows = document.getElementById("rows");
  const status = document.getElementById("status");
  let count = 0, missed = 0;
  const state = (text, lost) => { status.textContent = text; status.className = lost ? "lost" : ""; };
  const tell = () => state(count + (count === 1 ? " record" : " records") + (missed > 0 ? ", " + missed + " left out because this page was too slow" : ""));
  const token = () => decodeURIComponent(location.hash.replace(/^#token=/, ""));
  function add(record) {
    const row = rows.insertRow(0);
    const value = typeof record.value === "string" ? record.value : JSON.stringify(record.value);
    for (const text of [new Date(record.timestamp).toISOString(), record.topic, record.key, value]) row.insertCell().textContent = text;
    if (rows.rows.length > SHOWN) rows.deleteRow(SHOWN);
  }
  function connect() {
    const address = location.origin.replace(/^http/, "ws") + "/out" + location.search;
    const socket = new WebSocket(address, token() === "" ? ["millrace"] : ["millrace", "token." + token()]);
    let opened = false;
    socket.onopen = () => { opened = true; count = missed = 0; rows.replaceChildren(); tell(); };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.dropped === undefined) { count++; add(message); } else missed += message.dropped;
      tell();
    };
    socket.onclose = () => {
      state(opened ? "The connection is lost; trying again …" : "No connection. Where a token is needed, open this page as …/#token=TOKEN. Trying again …", true);
      setTimeout(connect, 2000);
    };
  }
  addEventListener("hashchange", () => location.reload());
  connect();
`;

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What the page may do: run its own script, open its own websocket, nothing else. */
const POLICY = `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** A page that shows records of these topics as they come; `?topic=NAME` narrows it. The token, where there is one, is behind the `#`, which no server sees. */
export function alertsPage(topics: readonly string[]): { readonly html: string; readonly policy: string } {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace alerts</title>
<style>${STYLE}</style>
<h1>${topics.map(escaped).join(", ")}</h1>
<p id="status" role="status">Connecting …</p>
<table><thead><tr><th>time</th><th>topic</th><th>key</th><th>value</th></tr></thead><tbody id="rows"></tbody></table>
<script>${SCRIPT}</script>
</html>
`;
  return { html, policy: POLICY };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
