import { Command } from 'commander';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import type { LineageEdge, LineageNode, Links } from '../../platform/capability.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { lineageCommands } from './commands.ts';
import { EDGES_A_NODE_MAX, getLineage, NODES_MAX } from './contract.ts';
import { LineageService } from './service.ts';

function node(text: string): LineageNode {
  const [kind, id] = text.split('/') as [string, string];
  return { kind, id };
}

/** Links written as `from relation to`. */
function links(...lines: readonly string[]): Links {
  const edges = lines.map((line): LineageEdge => {
    const [from, relation, to] = line.split(' ') as [string, string, string];
    return { from: node(from), to: node(to), relation };
  });
  return {
    linksOf: ({ kind, id }, limit) =>
      Promise.resolve(
        edges
          .filter(({ from, to }) => [from, to].some((it) => it.kind === kind && it.id === id))
          .slice(0, limit),
      ),
  };
}

async function lineageOf(thing: string, depth: number, ...parts: readonly Links[]) {
  const found = await new LineageService({ links: parts }).of(node(thing), depth);
  return {
    nodes: found.nodes.map(({ kind, id }) => `${kind}/${id}`),
    edges: found.edges.map(
      ({ from, to, relation }) => `${from.kind}/${from.id} ${relation} ${to.kind}/${to.id}`,
    ),
    isComplete: found.isComplete,
  };
}

const SERVING = links('request/r1 by model/late@1', 'revision/late@1 routes model/late@1');
const TRACKING = links(
  'model/late@1 made run/1',
  'run/1 read table/a.b@3',
  'run/2 read table/a.b@3',
  'model/late@2 made run/2',
);

test('joins what several capabilities know, in both directions', async () => {
  const { nodes, edges, isComplete } = await lineageOf('model/late@1', 8, SERVING, TRACKING);
  expect(nodes.toSorted()).toEqual([
    'model/late@1',
    'request/r1',
    'revision/late@1',
    'run/1',
    'table/a.b@3',
  ]);
  expect(edges).toHaveLength(4);
  expect(isComplete).toBe(true);
});

test('tells everything that came of a table, and nothing of what it does not lead to', async () => {
  const { nodes } = await lineageOf('table/a.b@3', 8, SERVING, TRACKING);
  expect(nodes.toSorted()).toEqual([
    'model/late@1',
    'model/late@2',
    'request/r1',
    'revision/late@1',
    'run/1',
    'run/2',
    'table/a.b@3',
  ]);
});

test('goes as deep as asked, and says when there is more', async () => {
  const shallow = await lineageOf('request/r1', 1, SERVING, TRACKING);
  expect(shallow).toMatchObject({ nodes: ['request/r1', 'model/late@1'], isComplete: false });
  const whole = await lineageOf('request/r1', 3, SERVING, TRACKING);
  expect(whole.nodes).toContain('table/a.b@3');
  expect(whole.isComplete).toBe(true);
});

test('of nothing known is the thing alone', async () => {
  const alone = { nodes: ['model/late@9'], edges: [], isComplete: true };
  expect(await lineageOf('model/late@9', 8, SERVING, TRACKING)).toEqual(alone);
});

test('ends in circles and stays within its limits', async () => {
  const circle = links('a/1 from a/2', 'a/2 from a/1');
  expect((await lineageOf('a/1', 20, circle)).nodes).toEqual(['a/1', 'a/2']);
  const wide = links(...Array.from({ length: 150 }, (_, index) => `a/1 from b/${index}`));
  const found = await lineageOf('a/1', 20, wide);
  expect(found.nodes).toHaveLength(EDGES_A_NODE_MAX + 1);
  expect(found.isComplete).toBe(false);
  const fan = links(
    ...Array.from({ length: 90 }, (_, index) => `a/1 from b/${index}`),
    ...Array.from({ length: 900 }, (_, index) => `b/${index % 90} from c/${index}`),
  );
  const bounded = await lineageOf('a/1', 20, fan);
  expect(bounded.nodes).toHaveLength(NODES_MAX);
  expect(bounded.isComplete).toBe(false);
});

test('never shows an edge whose ends it does not show', async () => {
  const edge = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }));
  await fc.assert(
    fc.asyncProperty(fc.array(edge), fc.integer({ min: 1, max: 4 }), async (pairs, depth) => {
      const some = links(...pairs.map(([from, to]) => `n/${from} uses n/${to}`));
      const { nodes, edges } = await lineageOf('n/0', depth, some);
      for (const text of edges) {
        const [from, , to] = text.split(' ') as [string, string, string];
        expect(nodes).toContain(from);
        expect(nodes).toContain(to);
      }
    }),
  );
});

/** Over the wire, because lineage knows no other capability. */
async function declareEndpoint(app: TestApp): Promise<void> {
  const reply = await app.app.http.inject({
    method: 'PUT',
    url: '/api/v1/endpoints/late',
    headers: { host: '127.0.0.1' },
    payload: { model: 'late', service: 'late_v1' },
  });
  expect(reply.statusCode).toBe(200);
}

test('is asked for over the API, by kind and id', async () => {
  await using app = await createTestApp();
  const none = await app.api.call(getLineage, { query: { of: 'model/late@1' } });
  expect(none).toEqual({
    of: { kind: 'model', id: 'late@1' },
    nodes: [{ kind: 'model', id: 'late@1' }],
    edges: [],
    isComplete: true,
  });
  await declareEndpoint(app);
  const service = await app.api.call(getLineage, { query: { of: 'service/late_v1', depth: 2 } });
  expect(service.edges).toEqual([
    {
      from: { kind: 'endpoint', id: 'late' },
      to: { kind: 'service', id: 'late_v1' },
      relation: 'declares',
    },
  ]);
  for (const of of ['late@1', '/', 'model/', 'model/a b']) {
    const asked = app.api.call(getLineage, { query: { of } });
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  }
});

test('prints origins and outcomes as two trees', async () => {
  await using app = await createTestApp();
  await declareEndpoint(app);
  let text = '';
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  const run = async (...words: readonly string[]) => {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    lineageCommands(program, {
      withApi: (action) => action(app.api),
      out: createOutput({ sink, isJson: false }),
      declaration: () => {
        throw new Error('no file is declared');
      },
      endWith: () => undefined,
    });
    await program.parseAsync(['lineage', ...words], { from: 'user' });
  };
  await run('endpoint/late');
  expect(text).toBe('endpoint late\n  → declares service late_v1\n');
  text = '';
  await run('service/late_v1');
  expect(text).toBe('service late_v1\ncame of it:\n  ← declares endpoint late\n');
  text = '';
  await run('late@1');
  expect(text).toBe('model late@1\n  nothing is known of it\n');
  await expect(run('late')).rejects.toThrow('Expected MODEL@VERSION');
});
