const BARE = /^(@[^/]+\/)?[^./@:][^/:]*/;

/**
 * The error of a failed import, led back to the cell that asked: Node's own says neither cell nor line. A package that is not there is said to be
 * installed how.
 *
 * @param here an error made where the import began: its stack knows the cell
 */
export function importFailure(
  error: unknown,
  { specifier, here, folder }: { specifier: string; here: Error; folder: string },
): unknown {
  if (!(error instanceof Error)) return error;
  const name = BARE.exec(specifier)?.[0];
  if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND" && name !== undefined)
    if (error.message.includes(`'${name}'`) && !error.message.includes("what to do"))
      error.message += `\n  what to do: npm install ${name} (in ${folder})`;
  const frames = here.stack?.split("\n").slice(1).join("\n") ?? "";
  if (frames !== "" && !/\bcell \d+:\d+:\d+/.test(error.stack ?? "")) error.stack = `${error.stack}\n${frames}`;
  return error;
}
