import { expect, it } from 'vitest';
import { exampleRequest } from './example-request.ts';

const ORIGIN = 'http://127.0.0.1:7070';

/** The JSON between the quotes of `-d '…'`, as a POSIX shell would pass it on. */
function bodyOf(command: string): unknown {
  const quoted = command.slice(command.indexOf("-d '") + 4, -1);
  return JSON.parse(quoted.replaceAll(String.raw`'\''`, "'"));
}

it('fills free dimensions with one and every datatype with a value it takes', () => {
  const command = exampleRequest(ORIGIN, 'late', [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'origin', datatype: 'BYTES', shape: [-1] },
    { name: 'flag', datatype: 'BOOL', shape: [1] },
  ]);
  expect(command).toMatch(/^curl http:\/\/127\.0\.0\.1:7070\/v2\/models\/late\/infer /);
  expect(bodyOf(command)).toEqual({
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 0] },
      { name: 'origin', datatype: 'BYTES', shape: [1], data: ['text'] },
      { name: 'flag', datatype: 'BOOL', shape: [1], data: [false] },
    ],
  });
});

it('survives a shell when an input is named with a quote', () => {
  const command = exampleRequest(ORIGIN, 'late', [
    { name: "passenger's age", datatype: 'INT64', shape: [1] },
  ]);
  expect(bodyOf(command)).toMatchObject({ inputs: [{ name: "passenger's age" }] });
});

it('takes an image from a file', () => {
  const image = { name: 'image', datatype: 'FP32', shape: [-1, 3, 224, 224] } as const;
  const command = exampleRequest(ORIGIN, 'cats', [{ ...image, shape: [...image.shape] }]);
  expect(command).toMatch(/ -d @request\.json$/);
});
