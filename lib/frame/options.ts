import { Refusal } from "../error.ts";

/** @throws Refusal `BAD_OPTION` for an option that the verb does not have */
export function checkOptions(verb: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new Refusal({
        code: "BAD_OPTION",
        what: `${verb} has no option "${name}"`,
        where: verb,
        remedies: [`its options are ${known.join(", ")}`],
      });
}
