import protobufjs from "protobufjs";

const rawJSON = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** A message as JSON can write it: 64-bit numbers keep their digits, instants are milliseconds, bytes base64, enums names. */
export function plainMessage(type: protobufjs.Type, message: protobufjs.Message): Record<string, unknown> {
  const plain = type.toObject(message, { longs: String, enums: String, bytes: String, defaults: true });
  return mended(type, plain);
}

function mended(type: protobufjs.Type, plain: Record<string, unknown>): Record<string, unknown> {
  for (const field of type.fieldsArray) {
    const value = plain[field.name];
    if (value === undefined || value === null || field.map) continue;
    plain[field.name] = Array.isArray(value) ? value.map((one) => cell(field, one)) : cell(field, value);
  }
  return plain;
}

function cell({ type, resolvedType }: protobufjs.Field, value: unknown): unknown {
  if (/64$/.test(type)) return rawJSON(String(value));
  if (!(resolvedType instanceof protobufjs.Type)) return value;
  const plain = value as Record<string, unknown>;
  if (resolvedType.fullName !== ".google.protobuf.Timestamp") return mended(resolvedType, plain);
  return Number(plain.seconds) * 1000 + Math.floor(Number(plain.nanos) / 1e6);
}
