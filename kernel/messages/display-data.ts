/** iopub `display_data` */
export interface DisplayData {
  /** mime type -> data: JSON types as JSON, images in base64, everything else as text. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Not saved with the notebook. */
  readonly transient: { readonly display_id?: string };
}
