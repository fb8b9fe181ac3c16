/** One readable line per event on stderr: time, event, `key=value` pairs. */
export interface JobLog {
  info(event: string, details?: Details): void;
  warn(event: string, details?: Details): void;
}

type Details = Readonly<Record<string, string | number | boolean | undefined>>;

export const stderrLog: JobLog = {
  info: (event, details) => write("info", event, details),
  warn: (event, details) => write("warn", event, details),
};

function write(level: string, event: string, details: Details = {}): void {
  const pairs = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${shown(value as string | number | boolean)}`);
  process.stderr.write(`${new Date().toISOString()} ${level} ${event}${pairs.join("")}\n`);
}

function shown(value: string | number | boolean): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(3);
  const text = String(value).split("\n")[0] as string;
  return /[\s="]/.test(text) ? JSON.stringify(text) : text;
}
