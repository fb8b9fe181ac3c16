package millrace.bench;

import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** w1 to w4 as bench/side-by-side/workloads.ts defines them. */
final class Workloads {
  static Topology topology(String workload, String input, String output, EndWatch watch) {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, Reading> readings = builder
        .stream(input, Consumed.with(Serdes.String(), Json.serde(Reading.class)))
        .processValues(watch::processor);
    switch (workload) {
      case "w1" -> stateless(readings, output);
      case "w2" -> deltas(readings, output);
      case "w3" -> windows(readings, output, TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(1)));
      case "w4" -> windows(readings, output,
          TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(5)).advanceBy(Duration.ofSeconds(1)));
      default -> throw new IllegalArgumentException("there is no workload " + workload);
    }
    return builder.build();
  }

  private static void stateless(KStream<String, Reading> readings, String output) {
    readings
        .mapValues(Reading.WithTotal::of)
        .filter((device, row) -> row.gForceTotal() > 2.0)
        .to(output, Produced.with(Serdes.String(), Json.serde(Reading.WithTotal.class)));
  }

  private static void deltas(KStream<String, Reading> readings, String output) {
    readings
        .processValues(new Delta())
        .to(output, Produced.with(Serdes.String(), Json.serde(Reading.WithDelta.class)));
  }

  private static void windows(KStream<String, Reading> readings, String output, TimeWindows windows) {
    readings
        .groupByKey(Grouped.with(Serdes.String(), Json.serde(Reading.class)))
        .windowedBy(windows)
        .aggregate(
            () -> Stats.NONE,
            (device, reading, stats) -> stats.plus(reading.total()),
            Materialized.<String, Stats, WindowStore<Bytes, byte[]>>as("per-second")
                .withKeySerde(Serdes.String())
                .withValueSerde(Stats.serde()))
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
        .toStream()
        .map((window, stats) -> KeyValue.pair(
            window.key(),
            new Stats.Row(
                window.window().start(), window.window().end(), stats.n(), stats.sum() / stats.n(), stats.max())))
        .to(output, Produced.with(Serdes.String(), Json.serde(Stats.Row.class)));
  }

  /** The change of the total since the device's previous row; RocksDB with Kafka Streams' cache before it, and a changelog. */
  private static final class Delta implements FixedKeyProcessorSupplier<String, Reading, Reading.WithDelta> {
    private static final StoreBuilder<KeyValueStore<String, Double>> STORE = Stores
        .keyValueStoreBuilder(Stores.persistentKeyValueStore("previous"), Serdes.String(), Serdes.Double())
        .withCachingEnabled();

    @Override
    public Set<StoreBuilder<?>> stores() {
      return Set.of(STORE);
    }

    @Override
    public FixedKeyProcessor<String, Reading, Reading.WithDelta> get() {
      return new FixedKeyProcessor<>() {
        private FixedKeyProcessorContext<String, Reading.WithDelta> context;
        private KeyValueStore<String, Double> previous;

        @Override
        public void init(FixedKeyProcessorContext<String, Reading.WithDelta> context) {
          this.context = context;
          this.previous = context.getStateStore("previous");
        }

        @Override
        public void process(FixedKeyRecord<String, Reading> record) {
          Reading r = record.value();
          double total = r.total();
          Double before = previous.get(record.key());
          previous.put(record.key(), total);
          Double delta = before == null ? null : total - before;
          context.forward(record.withValue(
              new Reading.WithDelta(r.timestamp, r.gForceX, r.gForceY, r.gForceZ, total, delta)));
        }
      };
    }
  }
}
