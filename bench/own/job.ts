import { job } from "../../lib/job.ts";
import { CASES } from "./cases.ts";

// The job of one case, as `millrace promote` makes it: INPUT, OUTPUT and CASE in the environment.
const { INPUT = "", OUTPUT = "", CASE = "" } = process.env;
const one = CASES[CASE];
if (one === undefined) throw new TypeError(`there is no case ${CASE}`);
const main = job({ name: `bench-${CASE}`, schemas: { [INPUT]: one.schema } });
one.program(INPUT, OUTPUT);
await main.run();
