package millrace.bench;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * One workload over one topic, from its beginning to the end it had at the start; then the summary as the last line on
 * stdout. Settings come from the environment, see bench/peers/kafka-streams.ts.
 */
public final class Main {
  public static void main(String[] args) throws Exception {
    String servers = env("KAFKA_BOOTSTRAP_SERVERS");
    String group = env("APPLICATION_ID");
    String input = env("INPUT");
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", servers))) {
      Map<TopicPartition, Long> ends = ends(admin, input);
      EndWatch watch = new EndWatch(ends);
      KafkaStreams streams = new KafkaStreams(
          Workloads.topology(env("WORKLOAD"), input, env("OUTPUT"), watch), settings(servers, group));
      streams.setUncaughtExceptionHandler(error -> {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
      });
      streams.start();
      if ("false".equals(System.getenv("UNTIL_END"))) Thread.currentThread().join(); // until the process is ended
      watch.awaitEnd();
      // closing commits at once, where waiting for the commit interval would cost up to that long
      CompletableFuture<Long> committed = CompletableFuture.supplyAsync(() -> whenCommitted(admin, group, ends));
      if (!streams.close(Duration.ofSeconds(60))) throw new IllegalStateException("Kafka Streams did not close in 60 s");
      long last = committed.get();
      long started = ManagementFactory.getRuntimeMXBean().getStartTime();
      System.out.printf(
          "{\"rowsIn\":%d,\"secondsSinceFirst\":%.3f,\"secondsTotal\":%.3f}%n",
          ends.values().stream().mapToLong(Long::longValue).sum(),
          (last - watch.firstMillis()) / 1e3,
          (last - started) / 1e3);
    }
  }

  private static Properties settings(String servers, String group) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, env("GUARANTEE"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, env("THREADS"));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, env("COMMIT_INTERVAL_MS"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, env("STATE_DIR"));
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    String session = System.getenv("SESSION_TIMEOUT_MS");
    if (session != null) settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), session);
    return settings;
  }

  private static Map<TopicPartition, Long> ends(Admin admin, String topic) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    admin.describeTopics(java.util.List.of(topic)).allTopicNames().get().get(topic).partitions()
        .forEach(p -> asked.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest()));
    Map<TopicPartition, Long> ends = new HashMap<>();
    admin.listOffsets(asked).all().get().forEach((partition, info) -> {
      if (info.offset() > 0) ends.put(partition, info.offset());
    });
    return ends;
  }

  /** The time at which the group's committed offsets were first seen at these ends. */
  private static long whenCommitted(Admin admin, String group, Map<TopicPartition, Long> ends) {
    try {
      for (long patience = System.currentTimeMillis() + 60_000; System.currentTimeMillis() < patience; Thread.sleep(5)) {
        var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        if (ends.entrySet().stream().allMatch(end -> {
          var offset = offsets.get(end.getKey());
          return offset != null && offset.offset() >= end.getValue();
        })) return System.currentTimeMillis();
      }
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
    throw new IllegalStateException("the offsets were not committed within 60 s");
  }

  private static String env(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalArgumentException(name + " is not set");
    return value;
  }
}
