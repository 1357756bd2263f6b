import { expect, it } from 'vitest';
import type { Decision } from '../contract.ts';
import { isShown } from './decision-kind.ts';
import { linesOf, timelineOption, timelineText } from './timeline.ts';

function decision(id: number, kind: Decision['kind'], instance: string | null): Decision {
  const at = `2001-03-0${id}T00:00:00Z`;
  const rest = { loop: 'late', at, wall: at, actor: 'loop', inputs: {}, policy: 'abc' };
  return { id, kind, instance, reason: '<b>because</b> of this', ...rest };
}

const NEWEST_FIRST = [
  decision(4, 'rejected', 'li_1'),
  decision(3, 'trained', 'li_1'),
  decision(2, 'admitted', 'li_1'),
  decision(1, 'suppressed', null),
];

it('draws decisions in the order of time and joins those of one instance', () => {
  const [line, points] = timelineOption(NEWEST_FIRST).series as {
    name: string;
    data: unknown[];
  }[];
  expect(line!.data).toEqual([
    ['2001-03-02T00:00:00Z', 'training'],
    ['2001-03-03T00:00:00Z', 'training'],
    ['2001-03-04T00:00:00Z', 'gate'],
  ]);
  expect(points!.name).toBe('decisions');
  expect(points!.data).toHaveLength(4);
});

it('writes a reason into a tooltip as text, not as markup', () => {
  const { tooltip } = timelineOption(NEWEST_FIRST) as {
    tooltip: { formatter: (of: { seriesName: string; dataIndex: number }) => string };
  };
  const text = tooltip.formatter({ seriesName: 'decisions', dataIndex: 0 });
  expect(text).toContain('&lt;b&gt;because');
  expect(text).toContain('2001-03-01 00:00:00Z (domain clock, UTC) · held back');
});

it('counts the decisions in words, and keeps what did nothing apart', () => {
  expect(timelineText(NEWEST_FIRST)).toBe(
    '4 decisions: rejected 1, trained 1, retrains 1, held back 1',
  );
  expect(NEWEST_FIRST.filter((one) => isShown(one, 'held back')).map(({ id }) => id)).toEqual([1]);
  expect(NEWEST_FIRST.filter((one) => isShown(one, 'acted'))).toHaveLength(3);
  expect(linesOf('word '.repeat(30).trim()).every((line) => line.length <= 60)).toBe(true);
});
