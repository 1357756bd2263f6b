import { expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { formatInstant, micros } from '../../base/time.ts';
import type { RouteRevision } from './contract.ts';
import { ServingStore } from './store.ts';

const DEFINITION = 'd1'.repeat(32);

function revision(number: number, versions: readonly (readonly [string, number])[]): RouteRevision {
  return {
    id: `rt_${number}`,
    endpoint: 'late',
    revision: number,
    arms: versions.map(([model, version]) => ({
      name: `v${version}`,
      model,
      version,
      digest: 'x',
      weight: 10_000,
    })),
    salt: '',
    actor: 'test',
    reason: '',
    restores: null,
    isDrill: false,
    features: number === 2 ? { service: 'late_v1', definition: DEFINITION } : null,
    evidence: [],
    now: formatInstant(micros(number)),
    wall: formatInstant(micros(number)),
    hash: '',
  };
}

eachDatabase((_, open) => {
  async function filled(): Promise<ServingStore> {
    const store = new ServingStore(await open());
    const spec = { model: 'la_e', service: 'late_v1', key: null, sticky: null, rollout: null };
    const endpoint = { name: 'late', spec: { ...spec, durability: 'async' as const } };
    await store.putEndpoint({ ...endpoint, at: micros(1) }, []);
    const arms: readonly (readonly (readonly [string, number])[])[] = [
      [['la_e', 1]],
      [
        ['la_e', 1],
        ['la_e', 11],
      ],
      [['late', 1]],
    ];
    for (const [index, versions] of arms.entries()) {
      const at = micros(index + 1);
      await store.publish([{ revision: revision(index + 1, versions), now: at, wall: at }], []);
    }
    return store;
  }

  test('knows the services that endpoints name, and those they join now', async () => {
    const store = await filled();
    const inUse = { endpoint: 'late', named: 'late_v1', routed: null };
    expect(await store.servicesInUse()).toEqual([inUse]);
    const features = { service: 'late_v0', definition: DEFINITION };
    const next = { ...revision(4, [['late', 1]]), features };
    await store.publish([{ revision: next, now: micros(4), wall: micros(4) }], []);
    expect(await store.servicesInUse()).toEqual([{ ...inUse, routed: 'late_v0' }]);
  });

  test('finds the revisions that route to one version, and to no other', async () => {
    const store = await filled();
    const found = await store.revisionsOfVersion({ model: 'la_e', version: 1 }, 10);
    expect(found.map((one) => one.revision)).toEqual([2, 1]);
    const eleven = await store.revisionsOfVersion({ model: 'la_e', version: 11 }, 10);
    expect(eleven.map((one) => one.revision)).toEqual([2]);
    expect(await store.revisionsOfVersion({ model: 'la_e', version: 2 }, 10)).toEqual([]);
  });

  test('finds what joins features of a definition or a service', async () => {
    const store = await filled();
    const found = await store.revisionsOfDefinition(DEFINITION, 10);
    expect(found).toEqual([
      revision(2, [
        ['la_e', 1],
        ['la_e', 11],
      ]),
    ]);
    expect(await store.revisionsOfDefinition('%', 10)).toEqual([]);
    const endpoints = await store.endpointsOfService('late_v1', 10);
    expect(endpoints.map(({ name }) => name)).toEqual(['late']);
  });
});
