import type { ParamSpec } from "../../frame/param.ts";

/** What `--help` prints. */
export function jobHelp(name: string, parameters: readonly ParamSpec[]): string {
  const flags: [string, string][] = [
    ["--until end", "stop once all that was in the topics at the start is done"],
    ["--json", "end with one line of JSON on stdout"],
    ["--workers N", "so many processes of this machine share the partitions (MILLRACE_WORKERS)"],
    ["--on-error stop", "end at a bad record, which else goes to the dead-letter topic"],
    ["--reset", "throw the state and the position away and begin anew; asks, or --yes"],
    ["--rebuild", "make the state anew of what was read, silently; asks, or --yes"],
    ...parameters.map(({ flag, env, type, default: value, description }): [string, string] => [
      `${flag} ${type.toUpperCase()}`,
      `${description ? `${description}; ` : ""}${value instanceof Date ? value.toISOString() : String(value)} by default (${env})`,
    ]),
  ];
  const width = Math.max(...flags.map(([flag]) => flag.length));
  const lines = flags.map(([flag, what]) => `  ${flag.padEnd(width)}  ${what}`);
  return [
    `The stream job ${name}. Kafka is at KAFKA_BOOTSTRAP_SERVERS; every other setting is a variable, too (README.md).`,
    ...lines,
  ].join("\n");
}
