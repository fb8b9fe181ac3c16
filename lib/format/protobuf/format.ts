import type pl from "nodejs-polars";
import protobufjs from "protobufjs";
import { Refusal } from "../../error.ts";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import { type DTypeName, dtypeName, type Schema } from "../../schema.ts";
import { idsOf } from "../avro/format.ts";
import { byteColumn, decodeByJson, Unreadable } from "../by-json.ts";
import { flatReadings } from "../flat/reading.ts";
import type { Decoded, DecodeOptions, Format } from "../format.ts";
import { rowObjects } from "../json/row-objects.ts";
import { header, messageIndexes, schemaIdOf } from "../registry/confluent-header.ts";
import { registryOf } from "../registry/registry.ts";
import { FlatProtobuf } from "./flat-reader.ts";
import { flatProtobufRows } from "./flat-writer.ts";
import { plainMessage } from "./message.ts";

const roots = new Map<string, protobufjs.Root>();

/**
 * Protobuf with the Confluent wire format: every value names its schema, and which message of it. Columns are found by name. A field that is not
 * set is its default where the schema cannot tell the difference (proto3 without `optional`), else null; `google.protobuf.Timestamp` is
 * an instant, bytes base64, enums their names.
 * Written is a proto3 message of optional fields, registered as `<topic>-value`.
 */
export const protobufFormat: Format = {
  decode(columns: RecordColumns, schema: Schema, options: DecodeOptions = {}): Decoded {
    const registry = registryOf("protobuf");
    const names = Object.keys(schema).filter((name) => options.used?.includes(name) ?? true);
    const flat = flatReading(schema, names).read(columns);
    if (flat !== undefined) return flat;
    const micros = new Set(names.filter((name) => schema[name] === "Datetime(us)"));
    return decodeByJson(columns, schema, options, (value) => {
      const id = schemaIdOf(value);
      if (id === undefined)
        throw new Unreadable("not in the Confluent wire format: it does not start with 0 and a schema id");
      const registered = registry.schema(id);
      if (registered?.type !== "PROTOBUF")
        throw new Unreadable(
          registered === undefined ? `the registry has no schema ${id}` : `schema ${id} is ${registered.type}`,
        );
      if (registered.references > 0) throw new Unreadable(`schema ${id} imports others, which is not built`);
      try {
        const { indexes, at } = messageIndexes(value);
        const type = messageAt(rootOf(registered.text), indexes);
        return JSON.stringify(plainMessage(type, type.decode(value.subarray(at)), micros));
      } catch (error) {
        throw new Unreadable(`not a value of schema ${id}: ${(error as Error).message}`);
      }
    });
  },
  encode(frame: pl.DataFrame, columns: readonly string[], topic = "rows"): ByteColumn {
    const text = protoOf(frame, columns);
    const start = header(registryOf("protobuf").register(`${topic}-value`, "PROTOBUF", text), 1);
    const flat = flatProtobufRows(frame, columns, start);
    if (flat !== undefined) return flat;
    const type = rootOf(text).lookupType("millrace.Row");
    const instants = columns.filter((name) => /^Datetime/.test(dtypeName(frame.getColumn(name).dtype)));
    const perSecond = new Map(
      instants.map((name) => [name, /us/.test(dtypeName(frame.getColumn(name).dtype)) ? 1_000_000n : 1000n]),
    );
    return byteColumn(
      rowObjects(frame, columns).map((row) => {
        for (const [name, value] of Object.entries(row)) {
          if (value === null) delete row[name];
          else if (perSecond.has(name)) row[name] = timestamp(BigInt(value as number), perSecond.get(name)!);
          else if (typeof value === "bigint") row[name] = String(value);
        }
        return Buffer.concat([start, type.encode(type.fromObject(row)).finish()]);
      }),
    );
  },
  inferSchema(samples: readonly RecordColumns[]): Schema {
    const registry = registryOf("protobuf");
    const schema: Record<string, DTypeName> = {};
    for (const id of [...new Set(samples.flatMap((sample) => idsOf(sample)))].sort((a, b) => a - b)) {
      const registered = registry.schema(id);
      if (registered?.type !== "PROTOBUF" || registered.references > 0) continue;
      const sample = samples.flatMap((columns) => firstOf(columns, id))[0]!;
      Object.assign(schema, columnsOfMessage(messageAt(rootOf(registered.text), messageIndexes(sample).indexes)));
    }
    return schema;
  },
  registered(topic: string): Schema | undefined {
    const found = registryOf("protobuf").latest(`${topic}-value`);
    if (found?.type !== "PROTOBUF" || found.references > 0) return undefined;
    // which of several messages a value is, only the value says: the first, as most files have one
    return columnsOfMessage(messageAt(rootOf(found.text), [0]));
  },
};

const flatReading = flatReadings((schema, wanted) => FlatProtobuf.of(schema, wanted, typeOf));

/** The message type at a place of the file with this id; undefined for none. */
function typeOf(id: number, index: number): protobufjs.Type | undefined {
  const registered = registryOf("protobuf").schema(id);
  if (registered?.type !== "PROTOBUF" || registered.references > 0) return undefined;
  try {
    return messageAt(rootOf(registered.text), [index]);
  } catch {
    return undefined;
  }
}

function timestamp(count: bigint, perSecond: bigint): { seconds: string; nanos: number } {
  const rest = ((count % perSecond) + perSecond) % perSecond;
  return { seconds: String((count - rest) / perSecond), nanos: Number((rest * 1_000_000_000n) / perSecond) };
}

function firstOf({ values, count }: RecordColumns, id: number): Buffer[] {
  const buffer = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const value = buffer.subarray(values.starts[i], values.ends[i]);
    if (schemaIdOf(value) === id) return [value];
  }
  return [];
}

function rootOf(text: string): protobufjs.Root {
  let root = roots.get(text);
  if (root === undefined) {
    root = new protobufjs.Root();
    const { imports = [] } = protobufjs.parse(text, root, { keepCase: true });
    for (const file of imports) {
      const common = protobufjs.common.get(file) as { nested?: Record<string, protobufjs.AnyNestedObject> } | null;
      if (common?.nested === undefined) throw new Unreadable(`import "${file}" is not built`);
      root.addJSON(common.nested);
    }
    root.resolveAll();
    roots.set(text, root);
  }
  return root;
}

/** The message that the indexes lead to, in the order of the file. */
function messageAt(root: protobufjs.Root, indexes: readonly number[]): protobufjs.Type {
  let types = ownTypes(root);
  let found: protobufjs.Type | undefined;
  for (const index of indexes) {
    found = types[index];
    if (found === undefined) throw new RangeError(`no message ${indexes.join("/")}`);
    types = found.nestedArray.filter((one) => one instanceof protobufjs.Type);
  }
  return found!;
}

/** Messages of the file itself: packages are entered, the common imports are not. */
function ownTypes(space: protobufjs.NamespaceBase): protobufjs.Type[] {
  return space.nestedArray.flatMap((one) => {
    if (one instanceof protobufjs.Type) return [one];
    if (one instanceof protobufjs.Namespace && !one.fullName.startsWith(".google.protobuf")) return ownTypes(one);
    return [];
  });
}

const columnsOfMessage = ({ fieldsArray }: protobufjs.Type): Schema =>
  Object.fromEntries(fieldsArray.map((field) => [field.name, dtypeOfField(field)]));

function dtypeOfField(field: protobufjs.Field, nested = false): DTypeName {
  const one = singleDtype(field, nested || field.repeated);
  if (field.map) return "Utf8";
  return field.repeated ? `List(${one})` : one;
}

function singleDtype({ type, resolvedType }: protobufjs.Field, nested: boolean): DTypeName {
  if (/^(u?int|s?fixed|sint|fixed)(32|64)$/.test(type)) return "Int64";
  if (type === "float" || type === "double") return "Float64";
  if (type === "bool") return "Boolean";
  if (resolvedType?.fullName === ".google.protobuf.Timestamp") return nested ? "Int64" : "Datetime(ms)";
  if (resolvedType instanceof protobufjs.Type)
    return `Struct{${resolvedType.fieldsArray.map((field) => `${field.name}:${dtypeOfField(field, true)}`).join(",")}}`;
  return "Utf8";
}

/** The proto3 text of rows. @throws Refusal `NOT_IN_FORMAT` */
export function protoOf(frame: pl.DataFrame, columns: readonly string[]): string {
  const fields = columns.map((name, i) => {
    const dtype = dtypeName(frame.getColumn(name).dtype);
    const list = /^List\((.*)\)$/.exec(dtype)?.[1];
    const type = protoType(list ?? dtype);
    if (type === undefined || !/^[A-Za-z_]\w*$/.test(name) || (list !== undefined && /^Datetime/.test(list)))
      throw new Refusal({
        code: "NOT_IN_FORMAT",
        what: type === undefined ? `${dtype} has no form in Protobuf here` : `"${name}" is no name in Protobuf`,
        where: `column "${name}"`,
        remedies: ["rename or cast it before the sink", "leave it out with `value: [...]`"],
      });
    return `  ${list === undefined ? "optional" : "repeated"} ${type} ${name} = ${i + 1};`;
  });
  const usesTime = fields.some((field) => field.includes("google.protobuf.Timestamp"));
  const imports = usesTime ? ['import "google/protobuf/timestamp.proto";', ""] : [];
  return ['syntax = "proto3";', "package millrace;", "", ...imports, "message Row {", ...fields, "}", ""].join("\n");
}

function protoType(dtype: DTypeName): string | undefined {
  if (/^U?Int(8|16|32|64)$|^Duration/.test(dtype)) return "int64";
  if (/^Float/.test(dtype)) return "double";
  if (/^Datetime\((ms|us)\)/.test(dtype)) return "google.protobuf.Timestamp";
  if (dtype === "Boolean") return "bool";
  return /^(Utf8|Categorical|Date|Time)$/.test(dtype) ? "string" : undefined;
}
