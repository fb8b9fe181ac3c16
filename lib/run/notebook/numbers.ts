/** 1234567 -> `1,234,567` */
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Milliseconds since the epoch -> `2026-01-31 12:00:00.000` (UTC) */
export const instant = (ms: number): string => new Date(ms).toISOString().replace("T", " ").replace("Z", "");
