// A process that runs one `millrace …` after another, as `millraceAgain` asks over its channel: what the first has loaded and parsed, the next ones have.
const main = new URL("../../kernel/cli/main.ts", import.meta.url);

export interface Asked {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

let runs = 0;
process.on("disconnect", () => process.exit());
process.on("message", async ({ args, cwd, env }: Asked) => {
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    process[name].write = (chunk: string | Uint8Array) => {
      printed[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      return true;
    };
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, main.pathname, ...args];
  process.exitCode = 0;
  await import(`${main.href}?${++runs}`); // the program itself anew, the modules it uses as they are
  process.send!({ code: process.exitCode, ...printed });
});
