import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import type { Output } from '../../platform/cli/output.ts';
import {
  getMaturity,
  LEVEL_MAX,
  listMaturity,
  listMaturityChanges,
  type Check,
  type Maturity,
  type MaturityChange,
  type MaturityDetail,
} from './contract.ts';

interface LevelOptions {
  readonly all?: boolean;
  readonly history?: boolean;
}

export function maturityCommands(program: Command, cli: CliContext): void {
  program
    .command('level')
    .description('the maturity level of a model in production use, and the one step to do next')
    .argument('[name]', 'endpoint or model; without it, all of them')
    .option('--all', 'every check with its evidence, not only what holds the next level')
    .option('--history', 'changes of the level and of its checks')
    .action(async (name: string | undefined, options: LevelOptions) => {
      if (name === undefined) return printList(cli);
      if (options.history === true) return printHistory(name, cli);
      const detail = await cli.withApi((api) => find(api, name));
      cli.out.result(detail, () => printDetail(detail, options.all === true, cli.out));
    });
}

/** By the endpoint's name, else by the model's. */
async function find(api: Api, name: string): Promise<MaturityDetail> {
  const params = { endpoint: name };
  try {
    return await api.call(getMaturity, { params });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'ENDPOINT_NOT_FOUND') throw thrown;
    const serving = (await all(api)).find(({ model }) => model === name);
    if (serving === undefined) throw thrown;
    return api.call(getMaturity, { params: { endpoint: serving.endpoint } });
  }
}

/** Pages of endpoints that are asked for: a list for a person ends before. */
const PAGES_MAX = 20;

async function all(api: Api): Promise<readonly Maturity[]> {
  const items: Maturity[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query: { limit: number; cursor?: string } = { limit: 50 };
    if (cursor !== null) query.cursor = cursor;
    const found = await api.call(listMaturity, { query });
    items.push(...found.items);
    cursor = found.nextCursor;
    if (cursor === null) break;
  }
  return items;
}

async function printList(cli: CliContext): Promise<void> {
  const items = await cli.withApi(all);
  cli.out.result(items, () => {
    if (items.length === 0) {
      cli.out.line('Nothing answers yet. Deploy a version: millwright deploy NAME@VERSION');
      return;
    }
    for (const one of items) printHead(one, cli.out);
  });
}

async function printHistory(endpoint: string, cli: CliContext): Promise<void> {
  const page = await cli.withApi((api) =>
    api.call(listMaturityChanges, { params: { endpoint }, query: { limit: 200 } }),
  );
  cli.out.result(page.items, () => {
    if (page.items.length === 0) cli.out.line('Nobody has looked at its level yet.');
    for (const change of page.items) printChange(change, cli.out);
  });
}

function printChange({ at, subject, from, to, why }: MaturityChange, out: Output): void {
  const step = from === null ? to : `${from} → ${to}`;
  out.line(`${at}  ${subject.padEnd(5)} ${step.padEnd(18)} ${why}`);
}

function printDetail(detail: MaturityDetail, isAll: boolean, out: Output): void {
  printHead(detail, out);
  const { checks, next } = detail;
  const shown = isAll ? checks : checks.filter((check) => holds(check, next));
  for (const check of shown) printCheck(check, out, isAll);
  if (!isAll) out.line(`  every check: millwright level ${detail.endpoint} --all`);
}

/** Required checks of the level to reach that do not hold yet, apart from the first one. */
function holds({ id, level, need, state }: Check, next: Check | null): boolean {
  return (
    level === next?.level &&
    id !== next.id &&
    need === 'required' &&
    (state === 'fail' || state === 'unknown')
  );
}

function printHead(of: Maturity, out: Output): void {
  const { endpoint, model, version, level, isSeen, levels, next } = of;
  const closed = levels[LEVEL_MAX]!;
  const loop = `level-${LEVEL_MAX} checks exercised: ${closed.exercised} of ${closed.checks}`;
  const about = `${endpoint} (${model} v${version})`;
  if (next === null) {
    out.line(`${about}: level ${level} · ${loop}`);
    return;
  }
  const progress = levels[next.level]!;
  const reach = isSeen ? `level ${level} → ${next.level}` : `level ${level}, only in part`;
  const held = `${progress.passed} of ${progress.required} checks`;
  out.line(`${about}: ${reach}: ${held} · ${loop}`);
  out.line(`  next: ${next.id} ${next.title} (${next.effort})`);
  out.line(`        ${next.why}`);
  out.line(`        ${next.fix.says}`);
  if (next.fix.command !== null) out.line(`        ${next.fix.command}`);
}

const MARKS = { pass: '✔', fail: '✘', unknown: '?', 'n/a': '–' } as const;

function printCheck(check: Check, out: Output, isAll: boolean): void {
  const { id, need, state, title, why, evidence, fix } = check;
  const bonus = need === 'bonus' ? ' (bonus)' : '';
  out.line(`  ${MARKS[state]} ${id.padEnd(4)} ${title}${bonus}`);
  out.line(`         ${why}`);
  if (isAll && evidence.length > 0) {
    out.line(`         see ${evidence.map(({ kind, id: of }) => `${kind} ${of}`).join(', ')}`);
  }
  if (state === 'pass' || state === 'n/a') return;
  out.line(`         ${fix.command ?? fix.says}`);
}
