import { expect, test } from 'vitest';
import type { Lineage, Node } from '../contract.ts';
import { CLOSED_SHOWN, keyOf, layOutLineage, OPEN_SHOWN } from './lineage-layout.ts';

function node(kind: string, id: string): Node {
  return { kind, id };
}

function lineage(of: Node, edges: readonly (readonly [from: Node, to: Node])[]): Lineage {
  const nodes = new Map([of, ...edges.flat()].map((one) => [keyOf(one), one]));
  return {
    of,
    nodes: [...nodes.values()],
    edges: edges.map(([from, to]) => ({ from, to, relation: 'read' })),
    isComplete: true,
  };
}

const TABLE = node('table', 'default.landings@1');

function runsOf(count: number): Lineage {
  const runs = Array.from({ length: count }, (_, index) => node('run', `run_${index}`));
  return lineage(
    TABLE,
    runs.map((run) => [run, TABLE] as const),
  );
}

test('things stand in layers from left to right, with lines from origins to outcomes', () => {
  const model = node('model', 'late@1');
  const run = node('run', 'run_1');
  const { layers, boxes, lines, rows } = layOutLineage(
    lineage(run, [
      [run, TABLE],
      [model, run],
    ]),
    [],
  );
  expect(layers.map(({ title }) => title)).toEqual(['Tables', 'Run', 'Model version']);
  expect(boxes.map(({ layer, row }) => [layer, row])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
  ]);
  expect(new Set(lines.map(({ from, to }) => `${from} → ${to}`))).toEqual(
    new Set(['0 → 1', '1 → 2']),
  );
  expect(rows).toBe(1);
});

test('a layer of many is closed: one box stands for the rest, until it is opened', () => {
  const closed = layOutLineage(runsOf(40), []);
  expect(closed.boxes).toHaveLength(1 + CLOSED_SHOWN + 1);
  expect(closed.boxes.at(-1)).toMatchObject({ node: null, hidden: 40 - CLOSED_SHOWN });
  expect(closed.lines).toHaveLength(CLOSED_SHOWN + 1);
  expect(layOutLineage(runsOf(40), ['Run']).boxes).toHaveLength(41);
  expect(layOutLineage(runsOf(300), ['Run']).rows).toBe(OPEN_SHOWN + 1);
});

test('a line over a layer leads around what stands in it', () => {
  const [set, view] = [node('training_set', 'late_train@1'), node('view', 'delays')];
  const { boxes, lines } = layOutLineage(
    lineage(set, [
      [set, TABLE],
      [set, view],
    ]),
    [],
  );
  expect(boxes.at(-1)).toEqual({ layer: 1, row: 1, node: null, hidden: 0 });
  const at = (index: number) => `${boxes[index]!.layer}:${boxes[index]!.row}`;
  expect(new Set(lines.map(({ from, to }) => `${at(from)} → ${at(to)}`))).toEqual(
    new Set(['0:0 → 1:1', '1:1 → 2:0', '1:0 → 2:0']),
  );
});

test('nothing is hidden for the sake of a single one', () => {
  expect(layOutLineage(runsOf(CLOSED_SHOWN + 1), []).boxes.every((box) => box.node)).toBe(true);
});

test('what was asked for is drawn, wherever it stands in its layer', () => {
  const many = runsOf(60);
  const asked = { ...many, of: node('run', 'run_55') };
  const drawn = layOutLineage(asked, []).boxes.map((box) => box.node?.id);
  expect(drawn).toContain('run_55');
});

test('lines cross no more than they must', () => {
  const [a, b] = [node('table', 'a@1'), node('table', 'b@1')];
  const [x, y] = [node('run', 'x'), node('run', 'y')];
  const { boxes } = layOutLineage(
    lineage(a, [
      [y, a],
      [x, b],
    ]),
    [],
  );
  const rowOf = (id: string) => boxes.find((box) => box.node?.id === id)!.row;
  expect(rowOf('a@1') < rowOf('b@1')).toBe(rowOf('y') < rowOf('x'));
});
