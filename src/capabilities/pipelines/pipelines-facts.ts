import { micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import { commandsOf } from '../../formats/dvc/stage.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Env } from '../../platform/system.ts';
import { git } from './code-tree.ts';
import type { PipelinesStore } from './store.ts';
import type { StoredRun, StoredStep } from './stored.ts';

/** Runs that are told of, the newest ones of the workspace. */
const RUNS = 60;
/** Events of one run, its stages' included; its end is the newest. */
const EVENTS = 5;
/** Commits that git is asked about: what answers, and what it was compared with. */
const COMMITS = 5;

interface Code {
  readonly folder: string;
  readonly tree: string;
  readonly commit: string;
  readonly at: Micros;
}

/** What never changes of a commit and a tree. */
interface Compared {
  readonly changed: number | null;
  readonly committedAt: number;
}

/** Pipeline runs that are over, and the commits that they were started from. */
export class PipelinesFacts implements Facts {
  readonly #deps: {
    readonly store: Pick<PipelinesStore, 'listRuns' | 'steps' | 'attempts'>;
    readonly events: Pick<Events, 'list'>;
    readonly env: Env;
  };
  readonly #compared = new Map<string, Compared>();

  constructor(deps: {
    readonly store: Pick<PipelinesStore, 'listRuns' | 'steps' | 'attempts'>;
    readonly events: Pick<Events, 'list'>;
    readonly env: Env;
  }) {
    this.#deps = deps;
  }

  async factsOf({ since }: FactQuestion): Promise<readonly Fact[]> {
    const { store } = this.#deps;
    const page = { before: null, folder: null, limit: RUNS };
    const runs = (await store.listRuns(page)).filter(({ finishedAt }) => finishedAt !== null);
    const told = await Promise.all(runs.map((run) => this.#toFact(run, since)));
    const codes = new Map(
      told.flatMap(({ codes: own }) => own).map((code) => [`${code.commit} ${code.tree}`, code]),
    );
    const newest = [...codes.values()].slice(0, COMMITS);
    const commits = await Promise.all(newest.map((code) => this.#commit(code)));
    return [...told.map(({ fact }) => fact), ...commits.flat()];
  }

  async #toFact(
    run: StoredRun,
    since: Micros,
  ): Promise<{ readonly fact: Fact; readonly codes: readonly Code[] }> {
    const { store, events } = this.#deps;
    const [steps, attempts, told] = await Promise.all([
      store.steps(run.id),
      store.attempts(run.id),
      events.list({ subject: `pipeline/${run.id}`, limit: EVENTS }),
    ]);
    const at = told.find(({ kind }) => kind === 'pipeline.finished')?.now ?? since;
    const countOf = ({ position }: StoredStep) =>
      attempts.filter((attempt) => attempt.position === position).length;
    const fact = {
      kind: 'pipeline_run',
      subject: run.id,
      at,
      wall: run.createdAt,
      data: {
        state: run.state,
        actor: run.actor,
        folder: run.folder,
        stages: steps.map((step) => ({
          stage: step.stage,
          state: step.state,
          attempts: countOf(step),
          code: step.spec?.code.tree ?? null,
          command: step.spec === null ? '' : commandsOf(step.spec.stage).join('\n'),
        })),
      },
    };
    const codes = steps.flatMap(({ spec }) =>
      spec === null || spec.code.commit === null
        ? []
        : [{ folder: run.folder, tree: spec.code.tree, commit: spec.code.commit, at }],
    );
    return { fact, codes };
  }

  /** What git knows of a commit now; nothing when there is no git, or no such commit. */
  async #commit(code: Code): Promise<readonly Fact[]> {
    const { folder, commit, tree, at } = code;
    const compared = await this.#compare(code);
    if (compared === null) return [];
    const branches = await this.#git(folder, ['branch', '--remotes', '--contains', commit]);
    const isPushed = branches !== null && branches.trim() !== '';
    const wall = micros(compared.committedAt);
    return [{ kind: 'commit', subject: commit, at, wall, data: { tree, isPushed, ...compared } }];
  }

  async #compare({ folder, commit, tree }: Code): Promise<Compared | null> {
    const key = `${commit} ${tree}`;
    const known = this.#compared.get(key);
    if (known !== undefined) return known;
    const seconds = await this.#git(folder, ['show', '--no-patch', '--format=%ct', commit]);
    if (seconds === null) return null;
    // What stages make is no code and not in the tree, but may be in the commit: it looks deleted.
    const diff = ['diff-tree', '-r', '--name-only', '--diff-filter=AMT', commit, tree];
    const names = await this.#git(folder, diff);
    const changed = names?.split('\n').filter((name) => name !== '').length ?? null;
    const compared = { changed, committedAt: Number(seconds) * MICROS_PER_SECOND };
    if (this.#compared.size >= KNOWN_MAX) this.#compared.clear();
    this.#compared.set(key, compared);
    return compared;
  }

  #git(folder: string, args: readonly string[]): Promise<string | null> {
    return git(folder, this.#deps.env, args);
  }
}

const KNOWN_MAX = 1000;
