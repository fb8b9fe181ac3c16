import { Refusal } from "../../error.ts";

export type ParameterValue = string | number | boolean;

/** `maxLag` as an environment variable (`MAX_LAG`) and as a flag (`--max-lag`). */
export function parameterNames(name: string): { variable: string; flag: string } {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .split(/[^A-Za-z0-9]+/);
  return { variable: words.join("_").toUpperCase(), flag: `--${words.join("-").toLowerCase()}` };
}

const RESERVED_VARIABLE =
  /^(KAFKA_|MILLRACE_|SCHEMA_REGISTRY_|NODE_|npm_)|^(PORT|PATH|HOME|USER|SHELL|PWD|TERM|LANG|TZ|TMPDIR|HOSTNAME)$/;
const RESERVED_FLAGS = ["--until", "--json", "--on-error", "--help"];

/**
 * The values of a job's parameters: a flag, else the environment, else the default; always of the default's type.
 * Flags that no parameter took are known after the last declaration ({@link unknownFlags}).
 */
export class Parameters {
  readonly #flags: ReadonlyMap<string, string>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #declared = new Map<string, { name: string; value: ParameterValue }>();

  constructor(flags: ReadonlyMap<string, string>, env: Readonly<Record<string, string | undefined>>) {
    this.#flags = flags;
    this.#env = env;
  }

  /** @throws {Refusal} `PARAMETER_NAME` for a name that shadows another, `PARAMETER_VALUE` for a value of another type */
  resolve<T extends ParameterValue>(name: string, fallback: T): T {
    const { variable, flag } = parameterNames(name);
    if (RESERVED_VARIABLE.test(variable) || RESERVED_FLAGS.includes(flag)) {
      throw new Refusal({
        code: "PARAMETER_NAME",
        what: `The parameter ${name} would shadow ${RESERVED_FLAGS.includes(flag) ? `the flag ${flag}` : `the variable ${variable}`}.`,
        remedies: ["give the parameter another name"],
      });
    }
    const known = this.#declared.get(variable);
    if (known !== undefined && known.name !== name) {
      throw new Refusal({
        code: "PARAMETER_NAME",
        what: `The parameters ${known.name} and ${name} are the same variable, ${variable}.`,
        remedies: ["give one of them another name"],
      });
    }
    const flagValue = this.#flags.get(flag);
    const text = flagValue ?? this.#env[variable];
    const value = text === undefined ? fallback : converted(text, fallback, flagValue !== undefined ? flag : variable);
    this.#declared.set(variable, { name, value });
    return value as T;
  }

  get declared(): readonly { name: string; value: ParameterValue }[] {
    return [...this.#declared.values()];
  }

  unknownFlags(): string[] {
    const known = new Set([...this.#declared.values()].map(({ name }) => parameterNames(name).flag));
    return [...this.#flags.keys()].filter((flag) => !known.has(flag) && !RESERVED_FLAGS.includes(flag));
  }
}

function converted(text: string, fallback: ParameterValue, where: string): ParameterValue {
  if (typeof fallback === "string") return text;
  if (typeof fallback === "number") {
    const value = Number(text);
    if (text.trim() !== "" && !Number.isNaN(value)) return value;
  } else if (/^(true|1|yes|on)$/i.test(text)) return true;
  else if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new Refusal({
    code: "PARAMETER_VALUE",
    what: `${where} is ${JSON.stringify(text)}, which is not a ${typeof fallback}.`,
    remedies: [`give a ${typeof fallback} such as ${fallback}`],
  });
}
