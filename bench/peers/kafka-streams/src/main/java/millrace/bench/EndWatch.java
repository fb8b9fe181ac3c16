package millrace.bench;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Sees the first record, and the last one of every partition; passes all of them on. */
final class EndWatch {
  private final long[] lastOffsets;
  private final CountDownLatch open;
  private final AtomicLong first = new AtomicLong();

  EndWatch(Map<TopicPartition, Long> ends) {
    lastOffsets = new long[ends.keySet().stream().mapToInt(TopicPartition::partition).max().orElse(-1) + 1];
    java.util.Arrays.fill(lastOffsets, Long.MAX_VALUE);
    ends.forEach((partition, end) -> lastOffsets[partition.partition()] = end - 1);
    open = new CountDownLatch(ends.size());
  }

  void awaitEnd() throws InterruptedException {
    open.await();
  }

  long firstMillis() {
    return first.get();
  }

  FixedKeyProcessor<String, Reading, Reading> processor() {
    return new FixedKeyProcessor<>() {
      private FixedKeyProcessorContext<String, Reading> context;
      private boolean seen;

      @Override
      public void init(FixedKeyProcessorContext<String, Reading> context) {
        this.context = context;
      }

      @Override
      public void process(FixedKeyRecord<String, Reading> record) {
        if (!seen) {
          seen = true;
          first.compareAndSet(0, System.currentTimeMillis());
        }
        context.forward(record);
        var metadata = context.recordMetadata().get();
        if (metadata.partition() < lastOffsets.length && metadata.offset() == lastOffsets[metadata.partition()]) open.countDown();
      }
    };
  }
}
