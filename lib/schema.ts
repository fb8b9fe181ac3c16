/**
 * A dtype by name, as it is written in plans, job folders and error messages:
 * `Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 Utf8 Boolean Binary Date Datetime(ms) Datetime(us) Datetime(ns)
 * Duration(ms) … Time List(Float64) Struct{a:Int64,b:Utf8} Null`.
 */
export type DTypeName = string;

/** Column names and dtypes, in column order. Plain data: it travels in plans and job folders. */
export type Schema = Readonly<Record<string, DTypeName>>;
