import { expect, test } from 'vitest';
import { createOutput } from './output.ts';

test('shows control characters of other people instead of sending them to the terminal', () => {
  let written = '';
  const sink = { write: (text: string) => void (written += text) };
  const out = createOutput({ isJson: false, sink });
  out.line('a\u001b[31mred\u009b2J\r\u0000 → ü\n\tb');
  out.table(['key'], [['\u001b]0;title\u0007']]);
  expect(written).toContain('a\\x1b[31mred\\x9b2J\\x0d\\x00 → ü\n\tb\n');
  expect(written).toContain('\\x1b]0;title\\x07');
});
