import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What `/metrics` shows. Counters count what is committed, gauges what is now. */
export class JobMetrics {
  readonly registry = new Registry();
  readonly rowsIn = this.#counter("millrace_rows_in_total", "Source records processed and committed");
  readonly rowsOut = this.#counter("millrace_rows_out_total", "Records written and committed");
  readonly deadLetters = this.#counter("millrace_dead_letters_total", "Bad records written to the dead-letter topic");
  readonly rollbacks = this.#counter("millrace_rollbacks_total", "Returns to the last checkpoint after an error");
  readonly lag = this.#gauge("millrace_lag_records", "Records not yet processed", ["topic", "partition"]);
  readonly heldBack = this.#gauge(
    "millrace_held_back_records",
    "Records behind an open transaction of another producer, not to be read yet",
    ["topic", "partition"],
  );
  readonly waiting = this.#gauge(
    "millrace_waiting_records",
    "Records read that wait for other topics, which they are read in one order with",
    ["topic", "partition"],
  );
  readonly watermarkDelay = this.#gauge(
    "millrace_watermark_delay_seconds",
    "Wall clock minus the largest event time seen",
    ["partition"],
  );
  readonly late = this.#gauge("millrace_late_rows", "Rows that came after their window had closed", ["partition"]);
  readonly noted = this.#gauge("millrace_noted_rows", "Rows that operators counted otherwise", ["partition", "name"]);
  readonly stateRows = this.#gauge("millrace_state_rows", "Rows of state held", ["partition"]);
  readonly stateBytes = this.#gauge("millrace_state_bytes", "Size of the state file on disk", []);
  readonly restoreShare = this.#gauge("millrace_restore_share", "Share of the changelog replayed, 0 to 1", [
    "partition",
  ]);
  readonly restoreRate = this.#gauge(
    "millrace_restore_records_per_second",
    "Changelog records applied in a second, while a partition is restored",
    ["partition"],
  );
  readonly restoreSeconds = this.#gauge("millrace_restore_seconds", "How long the last restore of a partition took", [
    "partition",
  ]);
  readonly restoreSecondsLeft = this.#gauge("millrace_restore_seconds_left", "Time left of a restore", ["partition"]);
  readonly standbyLag = this.#gauge(
    "millrace_standby_lag_records",
    "Changelog records that a standby copy does not have yet",
    ["partition"],
  );
  readonly unknownFields = this.#gauge("millrace_unknown_fields", "Fields met that are not in the schema", ["source"]);
  readonly checkpointSeconds = new Histogram({
    name: "millrace_checkpoint_seconds",
    help: "Time of a checkpoint up to the Kafka commit",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  });
  readonly saveSeconds = new Histogram({
    name: "millrace_checkpoint_save_seconds",
    help: "Time in which the state file took in a checkpoint, after the Kafka commit",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  });

  /** Sets what is measured only when somebody looks. */
  measure: () => Promise<void> = async () => {};

  async asJson(): Promise<readonly object[]> {
    await this.measure();
    return await this.registry.getMetricsAsJSON();
  }

  async asText(): Promise<string> {
    await this.measure();
    return await this.registry.metrics();
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** @param records undefined: it is not kept any more */
  showStandbyLag(partition: number, records: number | undefined): void {
    const label = { partition: String(partition) };
    if (records === undefined) this.standbyLag.remove(label);
    else this.standbyLag.set(label, records);
  }

  /** Forgets what was shown of a partition that is no longer owned. */
  forget(partition: number): void {
    const label = { partition: String(partition) };
    const perPartition = [this.watermarkDelay, this.late, this.stateRows];
    const restores = [this.restoreShare, this.restoreRate, this.restoreSeconds, this.restoreSecondsLeft];
    for (const gauge of [...perPartition, ...restores]) gauge.remove(label);
    this.lag.reset();
    this.heldBack.reset();
    this.waiting.reset();
    this.noted.reset();
  }
}
