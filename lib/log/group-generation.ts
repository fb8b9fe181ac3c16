/** Which member of which generation of a group speaks: commits of an earlier one are refused. */
export interface GroupGeneration {
  readonly generationId: number;
  readonly memberId: string;
  readonly instanceId?: string;
}
