/** What `import … from "millrace/test"` gives; reached through `index.ts`, which makes Polars fast first. */
export { type DriverOptions, driver, type TestBadRecord, TestDriver, type Tested } from "./driver.ts";
export type { TestRecord } from "./records.ts";
