/** Deterministic tests of programs, without a broker: `import { driver } from "millrace/test"`. */
import { afterFastObjects } from "../polars/after-fast-objects.ts";
import type * as Api from "./api.ts";

const loaded = afterFastObjects<typeof Api>(import.meta.url, "./api");

export const { driver, TestDriver } = loaded;
export type TestDriver = Api.TestDriver;
export type { DriverOptions, TestBadRecord, Tested, TestRecord } from "./api.ts";
