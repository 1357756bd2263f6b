import type { FeatureLayout, LabelledRequests, TextColumn } from './labelled-requests.ts';
import { Doubles, NamedDoubles } from './row-columns.ts';
import { scoreOf, type AnsweredTensor } from './score-of.ts';

type Columns = readonly (readonly unknown[])[];
type Vector = readonly (number | boolean | null)[];

/** Collects logged rows, whose documents are JSON text, into typed columns. */
export class RequestRows {
  readonly #withInputs: boolean;
  readonly #layouts = new Map<string, readonly Doubles[]>();
  readonly #features = new NamedDoubles();
  readonly #numbers = new NamedDoubles();
  readonly #texts = new Map<string, Codes>();
  readonly #answeredAt = new Doubles();
  readonly #version = new Doubles();
  readonly #status = new Doubles();
  readonly #totalUs = new Doubles();
  readonly #score = new Doubles();
  readonly #label = new Doubles();
  readonly #labelAt = new Doubles();
  readonly #hasDocuments = new Doubles();
  readonly #definition = new Doubles();
  readonly #definitions = new Map<string, number>();

  constructor(layouts: readonly FeatureLayout[], withInputs: boolean) {
    this.#withInputs = withInputs;
    for (const { definition, features } of layouts) {
      const columns = features.map((name) => this.#features.column(name));
      this.#layouts.set(definition, columns);
    }
  }

  /** Rows as the reader selects them: time, version, status, ..., label, its time, picked. */
  push(columns: Columns): void {
    for (let row = 0; row < columns[0]!.length; row += 1) {
      const vectors = vectorsOf(columns[5]![row] as string | null);
      const scores = scoresOf(columns[8]![row] as string | null);
      const count = Math.max(1, vectors.length, scores?.length ?? 0);
      const document = this.#withInputs
        ? inputsOf(columns[6]![row] as string | null, columns[7]![row] as string | null)
        : null;
      for (let index = 0; index < count; index += 1) {
        this.#pushRow(columns, row, { score: scores?.[index] ?? NaN, isAlone: count === 1 });
        const vector = vectors[index];
        if (vector !== undefined) this.#pushVector(columns[4]![row] as string | null, vector);
        const brought = Array.isArray(document) ? document[index] : document;
        if (brought != null) this.#pushInputs(brought as Readonly<Record<string, unknown>>);
      }
    }
  }

  #pushRow(
    columns: Columns,
    row: number,
    { score, isAlone }: { readonly score: number; readonly isAlone: boolean },
  ): void {
    this.#answeredAt.push(columns[0]![row] as number);
    this.#version.push(columns[1]![row] as number);
    this.#status.push(columns[2]![row] as number);
    this.#totalUs.push(columns[3]![row] as number);
    this.#definition.push(this.#definitionOf(columns[4]![row] as string | null));
    this.#score.push(score);
    const value = isAlone ? labelOf(columns[9]![row] as string | null) : NaN;
    this.#label.push(value);
    this.#labelAt.push(isAlone ? ((columns[10]![row] as number | null) ?? NaN) : NaN);
    this.#hasDocuments.push(Number(columns[11]![row]));
  }

  #definitionOf(hash: string | null): number {
    if (hash === null) return -1;
    let index = this.#definitions.get(hash);
    if (index === undefined) this.#definitions.set(hash, (index = this.#definitions.size));
    return index;
  }

  /** Of the row pushed last. */
  #pushVector(definition: string | null, vector: Vector): void {
    const layout = definition === null ? undefined : this.#layouts.get(definition);
    if (layout === undefined || layout.length !== vector.length) return;
    const row = this.#score.length - 1;
    for (let index = 0; index < layout.length; index += 1) {
      const column = layout[index]!;
      column.padTo(row);
      const value = vector[index];
      column.push(value === null || value === undefined ? NaN : Number(value));
    }
  }

  #pushInputs(brought: Readonly<Record<string, unknown>>): void {
    const row = this.#score.length - 1;
    for (const [name, value] of Object.entries(brought)) {
      if (typeof value === 'number' || typeof value === 'boolean') {
        this.#numbers.put(name, row, Number(value));
      } else if (typeof value === 'string') {
        let codes = this.#texts.get(name);
        if (codes === undefined) this.#texts.set(name, (codes = new Codes()));
        codes.put(row, value);
      }
    }
  }

  finish(): LabelledRequests {
    const rowCount = this.#score.length;
    return {
      rowCount,
      answeredAt: this.#answeredAt.finish(),
      version: this.#version.finish(),
      status: this.#status.finish(),
      totalUs: this.#totalUs.finish(),
      score: this.#score.finish(),
      label: this.#label.finish(),
      labelAt: this.#labelAt.finish(),
      hasDocuments: Uint8Array.from(this.#hasDocuments.finish()),
      definition: Int32Array.from(this.#definition.finish()),
      definitions: [...this.#definitions.keys()],
      features: this.#features.finish(rowCount),
      numbers: this.#numbers.finish(rowCount),
      texts: new Map([...this.#texts].map(([name, codes]) => [name, codes.finish(rowCount)])),
    };
  }
}

/** A column of texts, each kept once. */
class Codes {
  readonly #codes = new Doubles();
  readonly #indices = new Map<string, number>();

  put(row: number, value: string): void {
    let index = this.#indices.get(value);
    if (index === undefined) this.#indices.set(value, (index = this.#indices.size));
    this.#codes.padTo(row);
    this.#codes.push(index);
  }

  finish(rowCount: number): TextColumn {
    this.#codes.padTo(rowCount);
    const codes = Int32Array.from(this.#codes.finish(), (code) => (Number.isNaN(code) ? -1 : code));
    return { codes, values: [...this.#indices.keys()] };
  }
}

function vectorsOf(text: string | null): readonly Vector[] {
  const parsed = parsedArray(text);
  if (parsed === null || parsed.length === 0) return [];
  return Array.isArray(parsed[0]) ? (parsed as readonly Vector[]) : [parsed as Vector];
}

function scoresOf(text: string | null): Float64Array | null {
  const outputs = parsedArray(text);
  return outputs === null ? null : scoreOf(outputs as readonly AnsweredTensor[]);
}

/** The named inputs of a request with features, else its tensors' first values where alone. */
function inputsOf(entity: string | null, inputs: string | null): unknown {
  if (entity !== null) return JSON.parse(entity) as unknown;
  const tensors = parsedArray(inputs) as readonly (AnsweredTensor & { readonly name: string })[];
  if (tensors === null) return null;
  const rows = tensors[0]?.shape[0] ?? 0;
  return Array.from({ length: rows }, (_, row) => {
    const brought: Record<string, unknown> = {};
    for (const { name, shape, data } of tensors) {
      const width = data.length / shape[0]!;
      for (let column = 0; column < width; column += 1) {
        const value = data[row * width + column];
        brought[width === 1 ? name : `${name}[${column}]`] = value;
      }
    }
    return brought;
  });
}

function parsedArray(text: string | null): readonly unknown[] | null {
  const parsed: unknown = text === null ? null : JSON.parse(text);
  return Array.isArray(parsed) ? parsed : null;
}

/** A label is kept as JSON. */
function labelOf(text: string | null): number {
  if (text === null) return NaN;
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  return text.startsWith('"') ? NaN : Number(text);
}
