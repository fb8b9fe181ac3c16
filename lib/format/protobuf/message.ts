import protobufjs from "protobufjs";

const rawJSON = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/**
 * A message as JSON can write it: 64-bit numbers keep their digits, instants are milliseconds, bytes base64, enums names.
 * @param micros fields of the message itself whose instants are microseconds
 */
export function plainMessage(
  type: protobufjs.Type,
  message: protobufjs.Message,
  micros: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const plain = type.toObject(message, { longs: String, enums: String, bytes: String, defaults: true });
  return mended(type, plain, micros);
}

function mended(
  type: protobufjs.Type,
  plain: Record<string, unknown>,
  micros: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  for (const field of type.fieldsArray) {
    const value = plain[field.name];
    if (value === undefined || value === null || field.map) continue;
    plain[field.name] = Array.isArray(value)
      ? value.map((one) => cell(field, one))
      : cell(field, value, micros.has(field.name));
  }
  return plain;
}

function cell({ type, resolvedType }: protobufjs.Field, value: unknown, inMicros = false): unknown {
  if (/64$/.test(type)) return rawJSON(String(value));
  if (!(resolvedType instanceof protobufjs.Type)) return value;
  const plain = value as Record<string, unknown>;
  if (resolvedType.fullName !== ".google.protobuf.Timestamp") return mended(resolvedType, plain);
  const perSecond = inMicros ? 1e6 : 1e3;
  return Number(plain.seconds) * perSecond + Math.floor((Number(plain.nanos) * perSecond) / 1e9);
}
