// What is used of @platformatic/kafka: the messages of the protocol and single connections. Its entry also loads its clients and registries, which compile
// JSON schemas of their options as they load: a sixth of what a job's start computes (docs/decisions/063-parts-of-the-kafka-package.md).
import { createRequire } from "node:module";
import path from "node:path";

type Package = typeof import("@platformatic/kafka");

const require = createRequire(import.meta.url);
const folder = path.dirname(require.resolve("@platformatic/kafka"));
/** The package exports its entry only, and its version is pinned. */
const part = (file: string) => require(path.join(folder, file)) as Package;

export const {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  createTopicsV7,
  deleteGroupsV2,
  deleteRecordsV2,
  deleteTopicsV5,
  describeConfigsV4,
  describeGroupsV5,
  describeTransactionsV0,
  endTxnV3,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV7,
  leaveGroupV4,
  listOffsetsV7,
  metadataV12,
  offsetCommitV8,
  offsetFetchV7,
  syncGroupV5,
  txnOffsetCommitV3,
} = part("apis/index.js");
export const { compressionsAlgorithms, protocolAPIsById, protocolErrorsCodesById, Reader, Writer } =
  part("protocol/index.js");
export const { ResponseError } = part("errors.js");

/** What the messages hold: `messages.joinGroupV7.JoinGroupResponse`. */
export type * as messages from "@platformatic/kafka";
export type { API } from "@platformatic/kafka";
export type Connection = import("@platformatic/kafka").Connection;
export type Reader = import("@platformatic/kafka").Reader;
export type ResponseError = import("@platformatic/kafka").ResponseError;
export type Writer = import("@platformatic/kafka").Writer;

/** A connection, not yet connected. Loaded when the first is needed: a replay and a plan need none. */
export function newConnection(...options: ConstructorParameters<Package["Connection"]>): Connection {
  return new (part("network/index.js").Connection)(...options);
}
