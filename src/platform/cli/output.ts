import Table from 'cli-table3';
import { toCsv } from '../../base/csv.ts';
import { printable } from './printable.ts';

export type Cell = string | number | boolean | null;

/** Where commands print; the only file that writes to standard output. */
export interface Output {
  /** True with `--json`: then only `json` prints. */
  readonly isJson: boolean;
  /** The command's result as one JSON document. */
  json(value: unknown): void;
  /** A line for people. */
  line(text: string): void;
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Rows for another program: as they are, with nothing spelled out. */
  csv(head: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Prints `json` with `--json`, else calls `human`. */
  result(value: unknown, human: () => void): void;
}

export interface Sink {
  write(text: string): void;
}

export function createOutput(options: { isJson: boolean; sink: Sink }): Output {
  const { isJson, sink } = options;
  const out: Output = {
    isJson,
    json: (value) => {
      sink.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    line: (text) => {
      if (!isJson) sink.write(`${printable(text)}\n`);
    },
    table: (head, rows) => {
      if (isJson) return;
      const table = new Table({ head: [...head], style: { head: [], border: [] } });
      for (const row of rows)
        table.push(row.map((cell) => (cell === null ? '' : printable(String(cell)))));
      sink.write(`${table.toString()}\n`);
    },
    csv: (head, rows) => {
      if (!isJson) sink.write(toCsv(head, rows));
    },
    result: (value, human) => {
      if (isJson) out.json(value);
      else human();
    },
  };
  return out;
}
