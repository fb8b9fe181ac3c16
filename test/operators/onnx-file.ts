/**
 * A linear model as an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): y = x · weights + bias, float32.
 * @param squashed y = 1 / (1 + e^-(x · weights + bias)): a logistic regression
 */
export function linearModel(weights: readonly number[], bias: number, squashed = false): Uint8Array {
  const gemm = [text(1, "x"), text(1, "w"), text(1, "b"), text(2, squashed ? "z" : "y"), text(4, "Gemm")];
  const graph = [
    message(1, gemm),
    ...(squashed ? [message(1, [text(1, "z"), text(2, "y"), text(4, "Sigmoid")])] : []),
    text(2, "linear"),
    message(5, tensor("w", [weights.length, 1], weights)),
    message(5, tensor("b", [1], [bias])),
    message(11, valueInfo("x", weights.length)),
    message(12, valueInfo("y", 1)),
  ];
  const opset = [text(1, ""), number(2, 13)];
  return Buffer.concat([number(1, 8), message(8, opset), message(7, graph)]);
}

function tensor(name: string, dims: readonly number[], values: readonly number[]): Uint8Array[] {
  return [
    ...dims.map((dim) => number(1, dim)),
    number(2, 1),
    text(8, name),
    bytes(9, new Uint8Array(Float32Array.from(values).buffer)),
  ];
}

/** The model of notebooks/crash-onnx.ipynb, over force, delta and lately. */
export const crashScore = (): Uint8Array => linearModel([2, 0.5, -1], -6, true);

/** A matrix of any number of rows. */
function valueInfo(name: string, width: number): Uint8Array[] {
  const shape = message(2, [message(1, [text(2, "n")]), message(1, [number(1, width)])]);
  return [text(1, name), message(2, [message(1, [number(1, 1), shape])])];
}

// protobuf: key = field << 3 | wire type; 0 a varint, 2 bytes with their length before them
const number = (field: number, value: number): Uint8Array => Buffer.from([...varint(field << 3), ...varint(value)]);
const bytes = (field: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(value.length)]), value]);
const text = (field: number, value: string): Uint8Array => bytes(field, Buffer.from(value));
const message = (field: number, parts: readonly Uint8Array[]): Uint8Array => bytes(field, Buffer.concat([...parts]));

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
