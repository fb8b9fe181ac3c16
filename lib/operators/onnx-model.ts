import { createRequire } from "node:module";
import path from "node:path";
import { MillraceError } from "../error.ts";
import type { Schema } from "../schema.ts";
import type { Predict } from "./predict.ts";

/** What is used of onnxruntime. */
interface Runtime {
  readonly InferenceSession: { create(path: string): Promise<Session> };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => Tensor;
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
}
interface Tensor {
  readonly data: ArrayLike<number | bigint | string>;
  readonly dims: readonly number[];
}

/**
 * A model of an ONNX file by onnxruntime-node. Its input is one float32 tensor of rows times features, or one column per feature by name; the
 * columns it gives are its outputs by name, or its first output: one value a row, or one per column of the schema.
 * @throws MillraceError `NO_ONNX_RUNTIME`
 */
export async function onnxModel(path: string, features: readonly string[], schema: Schema): Promise<Predict> {
  const { InferenceSession, Tensor } = await runtime();
  const session = await InferenceSession.create(path);
  const byName = features.every((name) => session.inputNames.includes(name));
  const names = Object.keys(schema);
  return async (columns, count) => {
    const feeds: Record<string, Tensor> = {};
    if (byName) {
      for (const name of features)
        feeds[name] = new Tensor("float32", Float32Array.from(columns[name] as ArrayLike<number>), [count, 1]);
    } else {
      const matrix = new Float32Array(count * features.length);
      for (const [k, name] of features.entries()) {
        const values = columns[name] as ArrayLike<number>;
        for (let i = 0; i < count; i++) matrix[i * features.length + k] = values[i]!;
      }
      feeds[session.inputNames[0]!] = new Tensor("float32", matrix, [count, features.length]);
    }
    const outputs = await session.run(feeds, wanted(session, names));
    if (names.every((name) => name in outputs))
      return Object.fromEntries(names.map((name) => [name, cells(outputs[name]!, 0, 1, schema[name]!)]));
    const first = outputs[session.outputNames[0]!]!;
    const width = count === 0 ? names.length : first.data.length / count;
    if (width !== names.length)
      throw new TypeError(
        `the model gives ${width} values a row, and ${names.length} columns are named: ${names.join(", ")}`,
      );
    return Object.fromEntries(names.map((name, k) => [name, cells(first, k, width, schema[name]!)]));
  };
}

/** Outputs that are not asked for may have types that cannot cross (sequences, maps of scikit-learn's classifiers). */
function wanted(session: Session, names: readonly string[]): readonly string[] {
  return names.every((name) => session.outputNames.includes(name)) ? names : [session.outputNames[0]!];
}

function cells({ data }: Tensor, offset: number, stride: number, dtype: string): unknown[] {
  const cell = (value: number | bigint | string): unknown => {
    const plain = typeof value === "bigint" ? Number(value) : value;
    return dtype === "Boolean" ? Boolean(plain) : plain;
  };
  return Array.from({ length: data.length / stride }, (_, i) => cell(data[i * stride + offset]!));
}

/** That of the program's own folder, else the one beside Millrace. */
async function runtime(): Promise<Runtime> {
  const name = "onnxruntime-node";
  try {
    const own = createRequire(path.join(process.cwd(), "package.json"));
    return own(name) as Runtime;
  } catch {}
  try {
    const loaded = await import(name);
    return (loaded.default ?? loaded) as Runtime;
  } catch (cause) {
    throw new MillraceError({
      code: "NO_ONNX_RUNTIME",
      what: "an ONNX model needs the package onnxruntime-node, which is not installed (it is large, so it is no dependency of Millrace)",
      where: "predict",
      remedies: [
        "npm install onnxruntime-node, in the notebook's or the job's folder",
        "or give predict a function of columns",
      ],
      cause,
    });
  }
}
