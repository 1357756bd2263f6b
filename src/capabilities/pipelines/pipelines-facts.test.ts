import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { present } from '../../base/assert.ts';
import { micros } from '../../base/time.ts';
import type { Fact } from '../../platform/capability.ts';
import { EventsStore } from '../../platform/events/events-store.ts';
import { processEnv, systemClock } from '../../platform/system.ts';
import { gitCodeTree } from './code-tree.ts';
import { PipelinesFacts } from './pipelines-facts.ts';
import { PipelinesStore } from './store.ts';

const env = {
  ...processEnv,
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};
const question = { endpoint: 'late', model: 'late', since: micros(0), now: systemClock.now() };

let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-facts-'));
  root = path.join(folder, 'project');
  execFileSync('git', ['init', '--quiet', root], { env });
  write('train.py', 'print(1)\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function git(...args: readonly string[]): string {
  return execFileSync('git', [...args], { cwd: root, env, encoding: 'utf8' }).trim();
}

function write(name: string, text: string): void {
  writeFileSync(path.join(root, name), text);
}

function push(): void {
  const remote = path.join(folder, 'remote.git');
  execFileSync('git', ['init', '--quiet', '--bare', remote], { env });
  git('remote', 'add', 'origin', remote);
  git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  git('fetch', '--quiet', 'origin');
}

const STAGE = {
  name: 'train',
  cmd: 'python train.py',
  wdir: '.',
  deps: [],
  params: [],
  outs: [],
  isFrozen: false,
  isAlwaysChanged: false,
  description: '',
};

eachDatabase((_, open) => {
  /** A run of the work tree as it is, which succeeded. */
  async function facts(): Promise<readonly Fact[]> {
    const db = await open();
    const store = new PipelinesStore(db);
    const events = new EventsStore(db, systemClock);
    const id = 'prun_1';
    const run = { id, folder: root, targets: [], isForced: false, state: 'queued' } as const;
    const times = { createdAt: micros(1), startedAt: null, finishedAt: null };
    const rest = { isCancelling: false, actor: 'loop', environment: null, error: null };
    const stage = { name: 'train', action: 'run', reasons: [], timeoutMs: 1, retries: 0 } as const;
    await store.insertRun({ ...run, ...times, ...rest, trainUntil: null, key: null }, [stage]);
    await store.move(id, { run: { from: 'queued', to: 'running', at: micros(2) } }, []);
    const options = { root, exclude: [], temporaryFolder: folder, env };
    const code = present(await gitCodeTree(options), 'the tree');
    const [step] = await store.steps(id);
    const pinned = { tables: [], trainingSet: null, definition: null };
    const spec = { stage: STAGE, inputs: '', pinned, code };
    await store.move(id, { step: { of: step!, to: 'running', spec } }, []);
    const [running] = await store.steps(id);
    const subject = `pipeline/${id}`;
    const event = { actor: 'loop', kind: 'pipeline.finished', subject, data: {} };
    const end = { from: 'running', to: 'succeeded', at: micros(3) } as const;
    const last = { run: end, step: { of: running!, to: 'succeeded' } } as const;
    await store.move(id, last, [events.insert(event)]);
    return new PipelinesFacts({ store, events, env }).factsOf(question);
  }

  test('tells of a run that is over, with the code of its stages', async () => {
    const [run] = await facts();
    expect(run).toMatchObject({
      kind: 'pipeline_run',
      subject: 'prun_1',
      data: {
        state: 'succeeded',
        actor: 'loop',
        stages: [{ stage: 'train', state: 'succeeded', code: git('rev-parse', 'HEAD^{tree}') }],
      },
    });
    expect(run!.at).toBeGreaterThan(micros(3));
  });

  test('tells whether the commit was pushed, and what was changed beside it', async () => {
    const of = (found: readonly Fact[]) => found.find(({ kind }) => kind === 'commit');
    const head = git('rev-parse', 'HEAD');
    expect(of(await facts())).toMatchObject({
      subject: head,
      data: { changed: 0, isPushed: false },
    });
    push();
    expect(of(await facts())).toMatchObject({ data: { changed: 0, isPushed: true } });
    write('train.py', 'print(2)\n');
    write('new.py', '');
    expect(of(await facts())).toMatchObject({
      subject: head,
      data: { changed: 2, isPushed: true, tree: expect.not.stringMatching(head) as string },
    });
  });
});
