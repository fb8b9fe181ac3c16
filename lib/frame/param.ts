import { Refusal } from "../error.ts";

export type ParamValue = string | number | boolean | Date;

export interface ParamOptions<T> {
  /** Shown by a job's `--help` and in its README. */
  readonly description?: string;
  /** The only values that are taken. */
  readonly choices?: readonly T[];
  /** Bounds of a number, included. */
  readonly min?: number;
  readonly max?: number;
}

/** A declared parameter of the program, and how a job is given its value. */
export interface ParamSpec {
  readonly name: string;
  readonly type: "string" | "number" | "boolean" | "date";
  readonly default: ParamValue;
  /** `MAX_LAG` for `maxLag` */
  readonly env: string;
  /** `--max-lag` for `maxLag` */
  readonly flag: string;
  readonly description?: string;
  readonly choices?: readonly ParamValue[];
  readonly min?: number;
  readonly max?: number;
}

/** Where values come from: the text given for a parameter, or undefined where none is. */
export type ParamSource = (spec: ParamSpec) => { readonly text: string; readonly from: string } | undefined;

const declared = new Map<string, ParamSpec>();

const fromEnvironment: ParamSource = (spec) => {
  const text = process.env[spec.env];
  return text === undefined ? undefined : { text, from: spec.env };
};

let source: ParamSource = fromEnvironment;

/** Puts in place where values come from; a job adds its command line's flags. Without an argument: the environment. */
export function setParamSource(next: ParamSource = fromEnvironment): void {
  source = next;
}

/** Every parameter declared so far, in order. */
export function declaredParams(): readonly ParamSpec[] {
  return [...declared.values()];
}

/** The text of every parameter that was given one, from wherever it came. */
export function givenParams(): ReadonlyMap<string, string> {
  return givenTexts;
}

const givenTexts = new Map<string, string>();

/** Names that mean something to a job or to the machine it runs on. */
const RESERVED_ENV =
  /^(PORT|PATH|HOME|USER|SHELL|PWD|LANG|TMPDIR|HOSTNAME|TERM|KAFKA_.*|MILLRACE_.*|NODE_.*|NPM_.*|SCHEMA_REGISTRY_.*)$/;
const RESERVED_FLAGS = new Set([
  "--until",
  "--json",
  "--on-error",
  "--workers",
  "--reset",
  "--rebuild",
  "--yes",
  "--help",
  "--version",
]);

/**
 * A value that can be set from outside: in a job by an environment variable (`MAX_LAG`) or flag (`--max-lag`), in a notebook by an
 * environment variable. Its type is the default's.
 * @throws Refusal `BAD_PARAM_NAME`, `SHADOWED_PARAM`, `BAD_PARAM` (a given value that is not of the type or out of bounds)
 * @example
 * const threshold = param("threshold", 2.0);
 */
export function param(name: string, defaultValue: number, options?: ParamOptions<number>): number;
export function param(name: string, defaultValue: boolean, options?: ParamOptions<boolean>): boolean;
export function param(name: string, defaultValue: Date, options?: ParamOptions<Date>): Date;
export function param<const T extends string>(
  name: string,
  defaultValue: NoInfer<T> | string,
  options: ParamOptions<T> & { choices: readonly T[] },
): T;
export function param(name: string, defaultValue: string, options?: ParamOptions<string>): string;
export function param(name: string, defaultValue: ParamValue, options: ParamOptions<any> = {}): ParamValue {
  const spec = declare(name, defaultValue, options);
  const given = source(spec);
  if (given === undefined) {
    givenTexts.delete(name);
    return check(defaultValue, spec, options, "its default");
  }
  givenTexts.set(name, given.text);
  return check(parse(given.text, spec, given.from), spec, options, given.from);
}

function declare(name: string, defaultValue: ParamValue, options: ParamOptions<ParamValue>): ParamSpec {
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name))
    throw new Refusal({
      code: "BAD_PARAM_NAME",
      what: `"${name}" cannot name a parameter`,
      remedies: ["use letters and digits, beginning with a letter: maxLag"],
    });
  const words = name.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4");
  const env = words.toUpperCase();
  const flag = `--${words.toLowerCase().replaceAll("_", "-")}`;
  const shadowed = [...declared.values()].find(
    (other) => other.name !== name && (other.env === env || other.flag === flag),
  );
  if (shadowed !== undefined || RESERVED_ENV.test(env) || RESERVED_FLAGS.has(flag))
    throw new Refusal({
      code: "SHADOWED_PARAM",
      what: `the parameter "${name}" would be set by ${env} and ${flag}, which ${shadowed ? `already set "${shadowed.name}"` : "have a meaning of their own"}`,
      remedies: ["give it another name"],
    });
  const type = defaultValue instanceof Date ? "date" : (typeof defaultValue as "string" | "number" | "boolean");
  if (!["date", "string", "number", "boolean"].includes(type))
    throw new Refusal({
      code: "BAD_PARAM",
      what: `the default of "${name}" is ${typeof defaultValue}`,
      remedies: ["a parameter is a number, a string, true or false, or a Date"],
    });
  const spec: ParamSpec = Object.freeze({
    name,
    type,
    default: defaultValue,
    env,
    flag,
    ...(options.description !== undefined && { description: options.description }),
    ...(options.choices !== undefined && { choices: options.choices }),
    ...(options.min !== undefined && { min: options.min }),
    ...(options.max !== undefined && { max: options.max }),
  });
  declared.set(name, spec);
  return spec;
}

function parse(text: string, spec: ParamSpec, from: string): ParamValue {
  const trimmed = text.trim();
  switch (spec.type) {
    case "string":
      return text;
    case "number": {
      const number = trimmed === "" ? Number.NaN : Number(trimmed);
      if (Number.isFinite(number)) return number;
      return bad(text, spec, from, "is not a number");
    }
    case "boolean":
      if (/^(true|1|yes|on)$/i.test(trimmed)) return true;
      if (/^(false|0|no|off)$/i.test(trimmed)) return false;
      return bad(text, spec, from, "is neither true nor false");
    case "date": {
      const date = new Date(trimmed);
      return Number.isNaN(date.getTime()) ? bad(text, spec, from, "is not an ISO 8601 time") : date;
    }
  }
}

function check(value: ParamValue, spec: ParamSpec, options: ParamOptions<ParamValue>, from: string): ParamValue {
  const { choices, min, max } = options;
  if (choices !== undefined && !choices.some((choice) => +choice === +value || choice === value))
    return bad(String(value), spec, from, `is none of ${choices.join(", ")}`);
  if (min !== undefined && (value as number) < min) return bad(String(value), spec, from, `is less than ${min}`);
  if (max !== undefined && (value as number) > max) return bad(String(value), spec, from, `is more than ${max}`);
  return value;
}

function bad(text: string, spec: ParamSpec, from: string, why: string): never {
  throw new Refusal({
    code: "BAD_PARAM",
    what: `the parameter "${spec.name}": "${text}" ${why}`,
    where: from,
    remedies: [`set ${spec.env} or ${spec.flag} to a ${spec.type}, or leave it at ${JSON.stringify(spec.default)}`],
  });
}
