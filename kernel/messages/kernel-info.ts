import { PROTOCOL_VERSION } from "./header.ts";

/** shell or control `kernel_info_reply` */
export interface KernelInfoReply {
  readonly status: "ok";
  readonly protocol_version: string;
  readonly implementation: string;
  readonly implementation_version: string;
  readonly language_info: {
    readonly name: string;
    readonly version: string;
    readonly mimetype: string;
    readonly file_extension: string;
    readonly pygments_lexer: string;
    readonly codemirror_mode: Readonly<Record<string, unknown>>;
    readonly nbconvert_exporter: string;
  };
  readonly banner: string;
  readonly help_links: readonly { readonly text: string; readonly url: string }[];
  /** Protocol 5.5; in place of the boolean `debugger`, which front ends still look at. */
  readonly supported_features: readonly string[];
  readonly debugger: boolean;
}

export function kernelInfo(version: string, typescriptVersion: string): KernelInfoReply {
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "millrace",
    implementation_version: version,
    language_info: {
      name: "typescript",
      version: typescriptVersion,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      // JupyterLab finds a language by this name; by a mime type it would find none, and colour nothing
      codemirror_mode: { name: "typescript", mode: "javascript", typescript: true },
      nbconvert_exporter: "script",
    },
    banner: `Millrace ${version}: TypeScript ${typescriptVersion} on Node.js ${process.versions.node}`,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Polars for Node.js", url: "https://pola-rs.github.io/nodejs-polars/" },
    ],
    supported_features: ["debugger", "kernel subshells"],
    debugger: true,
  };
}
