// What ISO 8601 writes with four digits, and every store of datetimes holds, ms. Microseconds taken for milliseconds are beyond it.
export const FIRST_TIME = Date.parse("0001-01-01T00:00:00Z");
export const LAST_TIME = Date.parse("9999-12-31T23:59:59.999Z");
