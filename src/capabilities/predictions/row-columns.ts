/** Numbers of a column that grows row by row, in one typed array. */
export class Doubles {
  #values = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** Rows that other columns have and this one has not had yet are NaN. */
  padTo(length: number): void {
    while (this.#length < length) this.push(NaN);
  }

  finish(): Float64Array {
    return this.#values.slice(0, this.#length);
  }
}

/** Columns by name whose rows come with some of them, in any order: what a row lacks is NaN. */
export class NamedDoubles {
  readonly #columns = new Map<string, Doubles>();

  /** Declares the column, so that it is there also when no row has it. */
  column(name: string): Doubles {
    let column = this.#columns.get(name);
    if (column === undefined) this.#columns.set(name, (column = new Doubles()));
    return column;
  }

  /** Puts a value into row `row`, to which no column has come yet. */
  put(name: string, row: number, value: number): void {
    const column = this.column(name);
    column.padTo(row);
    column.push(value);
  }

  finish(rowCount: number): ReadonlyMap<string, Float64Array> {
    const finished = new Map<string, Float64Array>();
    for (const [name, column] of this.#columns) {
      column.padTo(rowCount);
      finished.set(name, column.finish());
    }
    return finished;
  }
}
