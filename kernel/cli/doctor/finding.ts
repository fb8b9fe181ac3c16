/** What one check of `millrace doctor` saw. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found, in one line. */
  readonly says: string;
  /** What to do; only where something is wrong. */
  readonly todo?: string;
}

export const sound = (check: string, says: string): Finding => ({ check, ok: true, says });
export const problem = (check: string, says: string, todo: string): Finding => ({ check, ok: false, says, todo });
