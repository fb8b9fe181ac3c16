import type { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";
import type { Cluster } from "../../lib/log/index.ts";
import type { FaultyNetwork } from "./network.ts";
import type { Guarantee } from "./verify.ts";

/** What a drill is given. */
export interface Drill {
  readonly cluster: Cluster;
  readonly guarantee: Guarantee;
  /** What the job computes: names of its sinks, by commas. */
  readonly plans: string;
  /** Records written between one fault and the next. */
  readonly records: number;
  readonly random: () => number;
  /** Whether Kafka's own console consumer reads what came out (or of one plan); else our own reader, which takes seconds less. */
  readonly outsider: boolean | "one";
  readonly log: (line: string) => void;
}

/** Drills of the broker and of the way to it need a broker that nobody else uses. */
export interface BrokerDrill extends Drill {
  readonly broker: EmbeddedBroker;
  /** Between the job and the broker. `cluster` goes past it. */
  readonly network: FaultyNetwork;
  /** Address of {@link network}. */
  readonly servers: string;
}
