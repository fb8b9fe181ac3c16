import { amountText, TELLING } from "../../lib/run/amount-done.ts";

/**
 * What `makeLibraryTypes` is at, in lines for people: that it begins, how far it is with rate and time left, and how long it took.
 * @param every ms between two lines
 */
export function declarationsTold(line: (text: string) => void, every = TELLING) {
  const began = performance.now();
  let compiling = began;
  let told = began;
  return (done: number, total?: number): void => {
    const now = performance.now();
    if (total === undefined)
      line("making the library's declarations for the editor, once for this version: reading its sources …");
    else if (done === 0) compiling = now;
    else if (done === total) line(`made the library's declarations in ${((now - began) / 1000).toFixed(0)} s`);
    else if (now - told >= every) {
      told = now;
      const seconds = (now - compiling) / 1000;
      line(amountText({ what: "making the library's declarations", done, total, of: "files", seconds }));
    }
  };
}
