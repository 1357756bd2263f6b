import fc from 'fast-check';
import { expect, it } from 'vitest';
import { latencyParts } from './latency.ts';
import { tensorViews, VALUES_SHOWN } from './tensors.ts';

function values(datatype: string, data: unknown[]): readonly string[] | undefined {
  return tensorViews([{ name: 'x', datatype, shape: [data.length], data }])?.[0]?.values;
}

it('writes a single with the fewest digits that are read back as the same single', () => {
  expect(values('FP32', [Math.fround(0.83), 0.5, 3, Math.fround(1e-7)])).toEqual([
    '0.83',
    '0.5',
    '3',
    '1e-7',
  ]);
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (single) => {
      const [text] = values('FP32', [single]) ?? [];
      expect(Math.fround(Number(text)) + 0).toBe(single + 0);
    }),
  );
});

it('leaves doubles and integers as they are, and quotes text', () => {
  expect(values('FP64', [0.1 + 0.2])).toEqual(['0.30000000000000004']);
  expect(values('INT64', [Number.MAX_SAFE_INTEGER])).toEqual(['9007199254740991']);
  expect(values('BYTES', ['a "b"'])).toEqual([String.raw`"a \"b\""`]);
});

it('cuts a long tensor short and says how long it is', () => {
  const data = Array.from({ length: 5000 }, () => 1);
  const [view] = tensorViews([{ name: 'x', datatype: 'UINT8', shape: [5000], data }]) ?? [];
  expect([view?.values.length, view?.count]).toEqual([VALUES_SHOWN, 5000]);
});

it('reads nested data, which V2 allows', () => {
  const nested = [
    [1, 2],
    [3, 4],
  ];
  const [view] = tensorViews([{ name: 'x', datatype: 'INT8', shape: [2, 2], data: nested }]) ?? [];
  expect(view).toMatchObject({ type: 'INT8 [2, 2]', values: ['1', '2', '3', '4'], count: 4 });
});

it('leaves what is no tensor list to be shown as it is', () => {
  expect([tensorViews(null), tensorViews({ columns: [] }), tensorViews([{ name: 'x' }])]).toEqual([
    null,
    null,
    null,
  ]);
});

it('splits a latency into parts that add up, and never below zero', () => {
  const us = fc.nat(1_000_000);
  fc.assert(
    fc.property(us, us, us, (queueUs, inferenceUs, gatewayUs) => {
      const totalUs = queueUs + inferenceUs + gatewayUs;
      const parts = latencyParts({ queueUs, inferenceUs, totalUs });
      expect(parts.map((part) => part.us)).toEqual([queueUs, inferenceUs, gatewayUs]);
    }),
  );
  expect(latencyParts({ queueUs: 5, inferenceUs: 9, totalUs: 10 })[2]?.us).toBe(0);
});
