import { FactBook, type Known } from './facts.ts';

/** A model in production use: what answers now, and everything known about it. */
export interface Production {
  readonly endpoint: string;
  readonly model: string;
  /** The version that most requests go to. */
  readonly version: number;
  /** The route in force. */
  readonly revision: Known<'revision'>;
  /** The revision that brought this version its traffic first. */
  readonly deployed: Known<'revision'>;
  readonly registered: Known<'version'> | null;
  readonly run: Known<'run'> | null;
  readonly pipelineRun: Known<'pipeline_run'> | null;
  readonly book: FactBook;
}

type Arms = Known<'revision'>['data']['arms'];

/** Null while nothing is deployed. */
export function productionOf(
  book: FactBook,
  { endpoint, model }: { readonly endpoint: string; readonly model: string },
): Production | null {
  const revisions = book.all('revision').toSorted((a, b) => b.data.revision - a.data.revision);
  const [revision] = revisions;
  const version = revision === undefined ? null : mainVersion(revision.data.arms);
  if (revision === undefined || version === null) return null;
  const deployed = revisions.findLast(({ data }) => mainVersion(data.arms) === version)!;
  const registered = book.find('version', `${model}@${version}`);
  const run = book.find('run', registered?.data.runId ?? null);
  const pipelineRun = book.find('pipeline_run', run?.data.pipelineRun ?? null);
  return { endpoint, model, version, revision, deployed, registered, run, pipelineRun, book };
}

/** The one that most requests go to; of equals the last, where a canary stands. */
export function mainVersion(arms: Arms): number | null {
  const [heaviest] = arms.toReversed().toSorted((a, b) => b.weight - a.weight);
  return heaviest?.version ?? null;
}

/** The version's runs that count: those of the window, and the one that made what answers now. */
export function runsOf({ book, run }: Production): readonly Known<'run'>[] {
  const recent = book.recent('run');
  return run === null || recent.includes(run) ? recent : [...recent, run];
}

/** The instance of a loop that put the version before its gate, the newest one. */
export function challengeOf({ book, version }: Production): Known<'instance'> | null {
  return book.all('instance').find(({ data }) => data.challenger === version) ?? null;
}

/** An instance's decisions, the newest first. */
export function decisionsOf(
  book: FactBook,
  instance: Known<'instance'>,
): readonly Known<'decision'>[] {
  return book.all('decision').filter(({ data }) => data.instance === instance.subject);
}

/** The name of the loop that keeps the endpoint; without one, what it would be called. */
export function loopOf({ book, endpoint }: Production): string {
  return book.all('loop')[0]?.subject ?? endpoint;
}
