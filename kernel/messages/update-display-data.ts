import type { DisplayData } from "./display-data.ts";

/** iopub `update_display_data`: takes the place of every output with this `display_id`. */
export interface UpdateDisplayData extends DisplayData {
  readonly transient: { readonly display_id: string };
}
