/** control `create_subshell_reply` (JEP 91): a further queue of shell requests beside the one every kernel has. */
export interface CreateSubshellReply {
  readonly status: "ok";
  /** To be put into the header of shell requests meant for it. */
  readonly subshell_id: string;
}

/** control `delete_subshell_request` */
export interface DeleteSubshellRequest {
  readonly subshell_id: string;
}

export type DeleteSubshellReply = { readonly status: "ok" } | UnknownSubshell;

/** control `list_subshell_reply` */
export interface ListSubshellReply {
  readonly status: "ok";
  readonly subshell_id: readonly string[];
}

/** The answer to any request that names a subshell that is not there. */
export interface UnknownSubshell {
  readonly status: "error";
  readonly ename: "UnknownSubshell";
  readonly evalue: string;
  readonly traceback: readonly string[];
}

export function unknownSubshell(id: string): UnknownSubshell {
  const evalue = `there is no subshell "${id}": it was deleted, or belongs to a kernel that has restarted`;
  return { status: "error", ename: "UnknownSubshell", evalue, traceback: [evalue] };
}
