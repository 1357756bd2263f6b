import { formatInstant, micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import type { DecisionKind } from './contract.ts';
import { unitChangesOf, type EvaluationFacts, type Finding } from './findings.ts';
import { ended, moment } from './phrases.ts';
import type { Exclusions } from './ports.ts';
import type { NewDecision } from './recorder.ts';
import type { KnownExclusion, StoredLoop } from './stored.ts';

/** What is excluded of a finding that does not say when it began. */
const DAY = 86_400 * MICROS_PER_SECOND;

interface Followed {
  readonly known: readonly KnownExclusion[];
  readonly decisions: readonly NewDecision[];
}

/** Keeps inputs that changed their unit out of training for as long as a monitor finds them. */
export class UnitChanges {
  readonly #exclusions: Exclusions;

  constructor(exclusions: Exclusions) {
    this.#exclusions = exclusions;
  }

  /** Recording is keyed by subject and beginning, so repeating it changes nothing. */
  async follow(loop: StoredLoop, evaluation: EvaluationFacts): Promise<Followed> {
    const former = loop.memory.exclusions;
    if (!loop.spec.exclude_unit_changes) return { known: former, decisions: [] };
    const { at } = evaluation;
    const found = new Map(unitChangesOf(evaluation).map((one) => [one.subject, one]));
    const decisions: NewDecision[] = [];
    const known: KnownExclusion[] = [];
    for (const one of former) {
      const finding = found.get(one.subject) ?? null;
      if (finding !== null && isAnother(one, finding)) continue;
      const end = one.until ?? endOf(one, finding);
      if (end !== null && one.until === null) decisions.push(await this.#end(at, one, end));
      if (finding !== null) known.push({ ...one, seen: at, until: end });
      found.delete(one.subject);
    }
    for (const finding of found.values()) {
      const { exclusion, decision } = await this.#record(loop.name, at, finding);
      decisions.push(decision);
      const end = finding.until;
      if (end !== null) decisions.push(await this.#end(at, exclusion, end));
      known.push({ ...exclusion, until: end });
    }
    return { known, decisions };
  }

  async #record(loop: string, at: Micros, finding: Finding) {
    const { subject, explanation, since } = finding;
    const from = since ?? micros(at - DAY);
    const key = `loop/${loop}/${subject}/${from}`;
    const id = await this.#exclusions.record({ key, from, until: null, reason: explanation });
    const bare = explanation.replace(/\.$/, '');
    const says = `${bare}: kept out of training from ${moment(from)} on`;
    const exclusion: KnownExclusion = { id, subject, seen: at, until: null };
    return { exclusion, decision: decisionOf('excluded', at, says, { exclusion: id, finding }) };
  }

  async #end(at: Micros, { id, subject }: KnownExclusion, until: Micros): Promise<NewDecision> {
    await this.#exclusions.end(id, until);
    const says = `${subject} is as before since ${moment(until)}: the exclusion ends`;
    const inputs = { exclusion: id, until: formatInstant(until) };
    return decisionOf('exclusion_ended', at, says, inputs);
  }
}

/** It had ended, and begins anew. */
function isAnother({ until }: KnownExclusion, { since }: Finding): boolean {
  return until !== null && since !== null && since >= until;
}

/** As the monitor says; else up to the last evaluation that found it. */
function endOf({ seen }: KnownExclusion, finding: Finding | null): Micros | null {
  return finding === null ? seen : finding.until;
}

function decisionOf(
  kind: DecisionKind,
  at: Micros,
  says: string,
  inputs: Readonly<Record<string, unknown>>,
): NewDecision {
  return { kind, at, reason: ended(says), inputs, instance: null };
}
