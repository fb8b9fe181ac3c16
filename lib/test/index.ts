/** Deterministic tests of programs, without a broker: `import { driver } from "millrace/test"`. */
import { afterFastObjects } from "../polars/after-fast-objects.ts";
import type * as Driver from "./driver.ts";

const loaded = afterFastObjects<typeof Driver>(import.meta.url, "./driver");

export const { driver, TestDriver } = loaded;
export type TestDriver = Driver.TestDriver;
export type { DriverOptions, TestBadRecord, Tested } from "./driver.ts";
export type { TestRecord } from "./records.ts";
