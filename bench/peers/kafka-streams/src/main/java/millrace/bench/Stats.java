package millrace.bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** The aggregate of one window; its state is 24 bytes. */
record Stats(long n, double sum, double max) {
  static final Stats NONE = new Stats(0, 0, Double.NEGATIVE_INFINITY);

  Stats plus(double value) {
    return new Stats(n + 1, sum + value, Math.max(max, value));
  }

  record Row(long window_start, long window_end, long n, double mean, double max) {}

  static Serde<Stats> serde() {
    return Serdes.serdeFrom(
        (topic, stats) -> stats == null
            ? null
            : ByteBuffer.allocate(24).putLong(stats.n).putDouble(stats.sum).putDouble(stats.max).array(),
        (topic, bytes) -> {
          if (bytes == null) return null;
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          return new Stats(buffer.getLong(), buffer.getDouble(), buffer.getDouble());
        });
  }
}
