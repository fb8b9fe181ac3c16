import type { ClearOutput } from "./clear-output.ts";
import type { CommClose, CommMessage, CommOpen } from "./comm.ts";
import type { CommInfoReply } from "./comm-info.ts";
import type { CompleteReply } from "./complete.ts";
import type { ConnectReply } from "./connect.ts";
import type { DebugEvent, DebugReply } from "./debug.ts";
import type { DisplayData } from "./display-data.ts";
import type { ErrorMessage } from "./error.ts";
import type { ExecuteReply } from "./execute.ts";
import type { ExecuteInput } from "./execute-input.ts";
import type { ExecuteResult } from "./execute-result.ts";
import type { HistoryReply } from "./history.ts";
import type { InputRequest } from "./input.ts";
import type { InspectReply } from "./inspect.ts";
import type { InterruptReply } from "./interrupt.ts";
import type { IopubWelcome } from "./iopub-welcome.ts";
import type { IsCompleteReply } from "./is-complete.ts";
import type { KernelInfoReply } from "./kernel-info.ts";
import type { ShutdownReply } from "./shutdown.ts";
import type { Status } from "./status.ts";
import type { Stream } from "./stream.ts";
import type { CreateSubshellReply, DeleteSubshellReply, ListSubshellReply } from "./subshell.ts";
import type { UpdateDisplayData } from "./update-display-data.ts";

/** What the kernel publishes: message type -> content. */
export interface Publications {
  status: Status;
  stream: Stream;
  display_data: DisplayData;
  update_display_data: UpdateDisplayData;
  execute_input: ExecuteInput;
  execute_result: ExecuteResult;
  error: ErrorMessage;
  clear_output: ClearOutput;
  iopub_welcome: IopubWelcome;
  comm_open: CommOpen;
  comm_msg: CommMessage;
  comm_close: CommClose;
  shutdown_reply: ShutdownReply;
  debug_event: DebugEvent;
}

/** What it answers on shell, control and stdin. */
export interface Replies {
  execute_reply: ExecuteReply;
  complete_reply: CompleteReply;
  inspect_reply: InspectReply;
  is_complete_reply: IsCompleteReply;
  history_reply: HistoryReply;
  comm_info_reply: CommInfoReply;
  kernel_info_reply: KernelInfoReply;
  connect_reply: ConnectReply;
  interrupt_reply: InterruptReply;
  shutdown_reply: ShutdownReply;
  input_request: InputRequest;
  debug_reply: DebugReply;
  create_subshell_reply: CreateSubshellReply;
  delete_subshell_reply: DeleteSubshellReply;
  list_subshell_reply: ListSubshellReply;
}
