export * from "./driver.ts";
export type { GroupByDynamicOptions } from "./group-by-dynamic.ts";
export { declaredParams, type ParamOptions, type ParamSource, type ParamSpec, param, setParamSource } from "./param.ts";
export { Sink, type SinkOptions } from "./sink.ts";
export { StreamFrame } from "./stream-frame.ts";
export { type TopicOptions, table, topic } from "./topic.ts";
