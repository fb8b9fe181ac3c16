/** What a promoted `main.ts` begins with: `import { job } from "millrace/job"`. */
import { afterFastObjects } from "./polars/after-fast-objects.ts";
import type * as DeclareJob from "./run/job/declare-job.ts";

export const { job } = afterFastObjects<typeof DeclareJob>(import.meta.url, "./run/job/declare-job");
export type { Job, JobOptions } from "./run/job/declare-job.ts";
