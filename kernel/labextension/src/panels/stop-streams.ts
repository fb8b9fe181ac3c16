import type { Kernel } from "../jupyterlab.ts";
import type { KernelConnections } from "../kernel-connections.ts";

/** Ends the live frames of a kernel; what they last showed stays. */
export function stopStreams(kernel: Pick<Kernel, "id" | "name">, connections: KernelConnections): void {
  const comm = connections.to(kernel).createComm("millrace.streams");
  comm.open({});
  comm.send({ do: "stop" });
  comm.close();
}
