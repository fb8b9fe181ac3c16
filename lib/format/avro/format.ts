import type pl from "nodejs-polars";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import { byteColumn, decodeByJson, Unreadable } from "../by-json.ts";
import { flatReadings } from "../flat/reading.ts";
import type { Decoded, DecodeOptions, Format } from "../format.ts";
import { rowObjects } from "../json/row-objects.ts";
import { HEADER, header, schemaIdOf } from "../registry/confluent-header.ts";
import { registryOf } from "../registry/registry.ts";
import { type AvroPart, avroReader, avroWriter } from "./codec.ts";
import { FlatAvro } from "./flat-reader.ts";
import { flatAvroRows } from "./flat-writer.ts";
import { rescaling } from "./instants.ts";
import { avroSchemaOf, columnsOfAvro } from "./schema.ts";

type Read = (bytes: Buffer) => Record<string, unknown>;

/** A topic's schema -> the text of a writer's -> how its values are read; undefined for one that is no record. */
const readers = new WeakMap<Schema, Map<string, Read | undefined>>();

/**
 * Avro with the Confluent wire format: every value names the schema that it was written with, and the registry has it. Columns are found by name,
 * whatever schema a value was written with: a field that it lacks is null, one that the topic's schema lacks is counted as unknown. Instants and
 * dates by their logical types, enums and fixed decimals as text, bytes as base64, maps as their JSON.
 * Written is a record of nullable fields, registered as `<topic>-value`.
 */
export const avroFormat: Format = {
  decode(columns: RecordColumns, schema: Schema, options: DecodeOptions = {}): Decoded {
    const registry = registryOf("avro");
    const names = Object.keys(schema).filter((name) => options.used?.includes(name) ?? true);
    const flat = flatReading(schema, names).read(columns);
    if (flat !== undefined) return flat;
    return decodeByJson(columns, schema, options, (value) => {
      const id = schemaIdOf(value);
      if (id === undefined)
        throw new Unreadable("not in the Confluent wire format: it does not start with 0 and a schema id");
      const registered = registry.schema(id);
      if (registered === undefined) throw new Unreadable(`the registry has no schema ${id}`);
      const read = readerFor(registered.text, schema);
      if (read === undefined || registered.type !== "AVRO") throw new Unreadable(`schema ${id} is not an Avro record`);
      try {
        return JSON.stringify(read(value.subarray(HEADER)));
      } catch (error) {
        throw new Unreadable(`not a value of schema ${id}: ${(error as Error).message}`);
      }
    });
  },
  encode(frame: pl.DataFrame, columns: readonly string[], topic = "rows"): ByteColumn {
    const schema = avroSchemaOf(frame, columns);
    const start = header(registryOf("avro").register(`${topic}-value`, "AVRO", JSON.stringify(schema)));
    const flat = flatAvroRows(frame, columns, start);
    if (flat !== undefined) return flat;
    const write = avroWriter(schema);
    return byteColumn(rowObjects(frame, columns).map((row) => Buffer.concat([start, write(row)])));
  },
  inferSchema(samples: readonly RecordColumns[]): Schema {
    const registry = registryOf("avro");
    const ids = new Set(samples.flatMap((sample) => idsOf(sample)));
    // in the order of registration, so that the newest dtype of a column holds
    const found = [...ids].sort((a, b) => a - b).map((id) => registry.schema(id));
    return Object.assign({}, ...found.map((one) => (one?.type === "AVRO" ? columnsOfAvro(one.text) : {}))) as Schema;
  },
  registered(topic: string): Schema | undefined {
    const found = registryOf("avro").latest(`${topic}-value`);
    return found?.type === "AVRO" ? columnsOfAvro(found.text) : undefined;
  },
};

const flatReading = flatReadings((schema, wanted) => FlatAvro.of(schema, wanted, recordOf));

/** The record schema with this id; undefined for none, or one that is no record. */
function recordOf(id: number): AvroPart | undefined {
  const registered = registryOf("avro").schema(id);
  if (registered?.type !== "AVRO") return undefined;
  try {
    const schema = JSON.parse(registered.text) as AvroPart;
    return schema.type === "record" ? schema : undefined;
  } catch {
    return undefined;
  }
}

/** The schema ids of the values. */
export function idsOf({ values, count }: RecordColumns): number[] {
  const buffer = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
  const ids = Array.from({ length: count }, (_, i) => schemaIdOf(buffer.subarray(values.starts[i], values.ends[i])));
  return [...new Set(ids)].filter((id) => id !== undefined);
}

function readerFor(text: string, schema: Schema): Read | undefined {
  let ofSchema = readers.get(schema);
  if (ofSchema === undefined) {
    ofSchema = new Map();
    readers.set(schema, ofSchema);
  }
  if (!ofSchema.has(text)) {
    try {
      ofSchema.set(text, recordReader(JSON.parse(text) as AvroPart, schema));
    } catch (error) {
      throw new Unreadable(`its schema is not read: ${(error as Error).message}`);
    }
  }
  return ofSchema.get(text);
}

function recordReader(record: AvroPart, schema: Schema): Read | undefined {
  if (record.type !== "record") return undefined;
  const read = avroReader(record) as Read;
  const rescale = rescaling(record, schema);
  if (rescale === undefined) return read;
  return (bytes) => {
    const row = read(bytes);
    rescale(row);
    return row;
  };
}
