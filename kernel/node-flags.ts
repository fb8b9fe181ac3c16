/**
 * How Node runs the kernel. An interrupt may terminate a timer's callback, which then does not leave its asynchronous scope in order; where Node checks
 * for that it ends the process, with every variable in it.
 */
export const NODE_FLAGS = ["--no-warnings", "--no-force-async-hooks-checks"] as const;
