import { expect, it } from 'vitest';
import { lineageLayers, versioned } from './lineage-layers.ts';

it('puts origins before outcomes, and leaves nothing out', () => {
  const nodes = [
    { kind: 'model', id: 'late@2' },
    { kind: 'endpoint', id: 'late' },
    { kind: 'table', id: 'default.landings@117' },
    { kind: 'service', id: 'late_v1' },
    { kind: 'view', id: 'origin_delays' },
    { kind: 'notebook', id: 'explore' },
  ];
  const layers = lineageLayers({ of: nodes[0]!, nodes, edges: [], isComplete: true });
  expect(
    layers.map(({ title, nodes: own }) => [title, ...own.map(({ id }) => id)].join(' ')),
  ).toEqual([
    'Tables default.landings@117',
    'Definition origin_delays late_v1',
    'Model version late@2',
    'Endpoint late',
    'Others explore',
  ]);
});

it('reads ids with a version', () => {
  expect(versioned('late@7')).toEqual({ name: 'late', version: '7' });
  expect(versioned('late_train@v3')).toEqual({ name: 'late_train', version: '3' });
  expect(versioned('late')).toBeNull();
});
