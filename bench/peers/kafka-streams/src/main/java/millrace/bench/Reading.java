package millrace.bench;

/** A phone's message, and what w1 and w2 write. */
final class Reading {
  public long timestamp;
  public double gForceX;
  public double gForceY;
  public double gForceZ;

  double total() {
    return Math.abs(gForceX) + Math.abs(gForceY) + Math.abs(gForceZ);
  }

  record WithTotal(long timestamp, double gForceX, double gForceY, double gForceZ, double gForceTotal) {
    static WithTotal of(Reading r) {
      return new WithTotal(r.timestamp, r.gForceX, r.gForceY, r.gForceZ, r.total());
    }
  }

  record WithDelta(long timestamp, double gForceX, double gForceY, double gForceZ, double gForceTotal, Double delta) {}
}
