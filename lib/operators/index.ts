export { compile, type Program, type ProgramSource, type ProgramTerminal } from "./program.ts";
export type { Task, TaskOutput } from "./task.ts";
