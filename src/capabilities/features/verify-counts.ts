import { sameValue } from '../../base/same-value.ts';
import { formatInstant, micros } from '../../base/time.ts';
import type { CompiledService } from './compiled.ts';
import {
  VERIFY_EXAMPLES,
  type VerifiedFeature,
  type VerifyExample,
  type VerifyReport,
} from './online-contract.ts';
import type { LoggedVector } from './verify-logged.ts';

type Counts = { -readonly [Key in keyof VerifiedFeature]: VerifiedFeature[Key] };

/** Adds up how logged vectors compare with recomputed ones, feature by feature. */
export class VerifyCounts {
  readonly #service: CompiledService;
  readonly #counts = new Map<string, Counts>();
  readonly #examples: VerifyExample[] = [];
  #vectors = 0;
  #skipped = 0;

  constructor(service: CompiledService) {
    this.#service = service;
    for (const { name } of service.features) this.#of(name);
  }

  /** Vectors that cannot be recomputed. */
  skip(vectors: number): void {
    this.#vectors += vectors;
    this.#skipped += vectors;
  }

  /** One vector beside what its own definition gives: with what was known, and with all of it. */
  compare(
    definition: CompiledService,
    vector: LoggedVector,
    with_: {
      readonly known: readonly (number | null)[];
      readonly settled: readonly (number | null)[];
    },
  ): void {
    this.#vectors += 1;
    for (const [index, { name }] of definition.features.entries()) {
      const counts = this.#of(name);
      const [logged, known] = [vector.values[index]!, with_.known[index]!];
      const settled = with_.settled[index]!;
      counts.compared += 1;
      if (!sameValue(logged, known)) {
        counts.logic += 1;
        if (logged !== null && known !== null) {
          const difference = Math.abs(logged - known);
          counts.maxDifference = Math.max(counts.maxDifference ?? 0, difference);
        }
        this.#example('logic', vector, { feature: name, logged, recomputed: known });
      } else if (logged === null) counts.bothNull += 1;
      else counts.match += 1;
      if (sameValue(known, settled)) continue;
      counts.freshness += 1;
      this.#example('freshness', vector, { feature: name, logged, recomputed: settled });
    }
  }

  /** One vector of another definition beside what the present one gives. */
  compareDefinitions(
    definition: CompiledService,
    vector: LoggedVector,
    recomputed: readonly (number | null)[],
  ): void {
    for (const [index, { name }] of this.#service.features.entries()) {
      const at = definition.features.findIndex((feature) => feature.name === name);
      const logged = at === -1 ? null : vector.values[at]!;
      if (at !== -1 && sameValue(logged, recomputed[index]!)) continue;
      this.#of(name).definition += 1;
      const example = { feature: name, logged, recomputed: recomputed[index]! };
      this.#example('definition', vector, example);
    }
  }

  report(of: {
    readonly from: string;
    readonly until: string;
    readonly isPartial: boolean;
  }): VerifyReport {
    const features = [...this.#counts.values()];
    const total = (of: 'logic' | 'freshness' | 'definition'): number =>
      features.reduce((sum, counts) => sum + counts[of], 0);
    return {
      service: this.#service.name,
      definition: this.#service.hash,
      ...of,
      rows: this.#vectors,
      skipped: this.#skipped,
      isConsistent: this.#vectors > 0 && this.#skipped === 0 && total('logic') === 0,
      logicMismatches: total('logic'),
      freshnessGaps: total('freshness'),
      definitionMismatches: total('definition'),
      features,
      examples: this.#examples,
    };
  }

  #of(name: string): Counts {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      const none = { compared: 0, match: 0, bothNull: 0, logic: 0, freshness: 0, definition: 0 };
      this.#counts.set(name, (counts = { name, ...none, maxDifference: null }));
    }
    return counts;
  }

  /** What must not be comes first: its examples take the place of others. */
  #example(
    kind: VerifyExample['kind'],
    { requestId, endpoint, time }: LoggedVector,
    values: Pick<VerifyExample, 'feature' | 'logged' | 'recomputed'>,
  ): void {
    const examples = this.#examples;
    let place = examples.length;
    if (place >= VERIFY_EXAMPLES) {
      if (kind !== 'logic') return;
      place = examples.findIndex((it) => it.kind !== 'logic');
      if (place === -1) return;
    }
    const at = formatInstant(micros(time));
    examples[place] = { kind, requestId, endpoint, at, ...values };
  }
}
