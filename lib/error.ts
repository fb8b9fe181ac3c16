/** What to print when something cannot go on: what happened, where, and what to do. */
export interface Trouble {
  /** Stable code, for programs and documentation: `UNREACHABLE_BROKER`, `NO_EXACT_STREAMING_MEANING`, … */
  readonly code: string;
  /** What happened, in one sentence. */
  readonly what: string;
  /** Where: a cell and line, a topic and offset, a file. */
  readonly where?: string;
  /** What to do; one way out per entry. */
  readonly remedies?: readonly string[];
  readonly cause?: unknown;
}

/** The base of every error Millrace throws on purpose. Its message is the readable block. */
export class MillraceError extends Error {
  /** Stable, for programs and documentation: `UNREACHABLE_BROKER`, … */
  readonly code: string;
  /** What happened, in one sentence. */
  readonly what: string;
  /** A cell and line, a topic and offset, a file. */
  readonly where: string | undefined;
  /** What to do; one way out per entry. */
  readonly remedies: readonly string[];

  constructor(trouble: Trouble) {
    super(block(trouble), trouble.cause === undefined ? undefined : { cause: trouble.cause });
    this.name = new.target.name;
    this.code = trouble.code;
    this.what = trouble.what;
    this.where = trouble.where;
    this.remedies = trouble.remedies ?? [];
  }
}

/** A program, an input or a setting that is refused rather than guessed at. The command line exits with 2. */
export class Refusal extends MillraceError {}

function block({ what, where, remedies = [] }: Trouble): string {
  const lines = [what];
  if (where !== undefined) lines.push(`  where: ${where}`);
  if (remedies.length === 1) lines.push(`  what to do: ${remedies[0]}`);
  else if (remedies.length > 1) lines.push("  what to do:", ...remedies.map((remedy) => `    - ${remedy}`));
  return lines.join("\n");
}
