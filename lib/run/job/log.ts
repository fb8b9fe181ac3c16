/**
 * One line per event on stderr: readable (time, level, event, `key=value` pairs), or with `MILLRACE_LOG_FORMAT=json` an object
 * `{"time":…,"level":…,"event":…,…}` whose numbers are numbers.
 */
export interface JobLog {
  info(event: string, details?: Details): void;
  warn(event: string, details?: Details): void;
}

type Details = Readonly<Record<string, string | number | boolean | undefined>>;

export const stderrLog: JobLog = {
  info: (event, details) => write("info", event, details),
  warn: (event, details) => write("warn", event, details),
};

/** What `MILLRACE_LOG_FORMAT` may be. */
export const LOG_FORMATS: readonly string[] = ["text", "json"];

function write(level: string, event: string, details: Details = {}): void {
  const time = new Date().toISOString();
  if (process.env.MILLRACE_LOG_FORMAT === "json") {
    process.stderr.write(`${JSON.stringify({ ...details, time, level, event })}\n`);
    return;
  }
  const pairs = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${shown(value as string | number | boolean)}`);
  process.stderr.write(`${time} ${level} ${event}${pairs.join("")}\n`);
}

function shown(value: string | number | boolean): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(3);
  const text = String(value).split("\n")[0] as string;
  return /[\s="]/.test(text) ? JSON.stringify(text) : text;
}
