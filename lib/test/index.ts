/** Deterministic tests of programs, without a broker: `import { driver } from "millrace/test"`. */
import { createRequire } from "node:module";
import "../polars/fast-objects.ts";
import type * as Driver from "./driver.ts";

// required, not imported, as in ../index.ts: Polars is read after fast-objects.ts has run
const load = createRequire(import.meta.url);
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const loaded = load(`./driver.${extension}`) as typeof Driver;

export const { driver, TestDriver } = loaded;
export type TestDriver = Driver.TestDriver;
export type { DriverOptions, TestBadRecord, Tested } from "./driver.ts";
export type { TestRecord } from "./records.ts";
