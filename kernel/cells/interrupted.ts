/** Why an interrupted cell failed. */
export class Interrupted extends Error {
  constructor() {
    super("the cell was interrupted; what earlier cells hold is kept");
    this.name = "Interrupted";
    this.stack = `${this.name}: ${this.message}`;
  }
}
