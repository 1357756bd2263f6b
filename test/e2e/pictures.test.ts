import { globSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, test } from 'vitest';
import { ROOT } from '../../scripts/run.ts';
import { SCREENSHOTS } from './browser.ts';
import { busyFixture } from './fixture-data.ts';
import { loopFixture } from './fixture-loop.ts';
import { monitorsFixture } from './fixture-monitors.ts';
import { PICTURE_BYTES_MAX, PICTURE_WIDTH, PICTURES, takePictures } from './pictures.ts';
import { WebPages } from './web-pages.ts';

const web = new WebPages();

/** Width and height from the header of a PNG (W3C, section 11.2.2). */
function sizeOf(png: Buffer) {
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

const sorted = (texts: readonly string[]) => texts.toSorted((a, b) => a.localeCompare(b));

test('README shows every picture there is, each of them small', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const shown = [...readme.matchAll(/!\[[^\]]{20,}\]\((docs\/images\/[^)]+)\)/g)];
  const names = PICTURES.map(({ name }) => `docs/images/${name}.png`);
  expect(sorted(shown.map(([, file]) => file!))).toEqual(sorted(names));
  expect(sorted(globSync('docs/images/*', { cwd: ROOT }))).toEqual(sorted(names));
  for (const { name, height } of PICTURES) {
    const png = readFileSync(path.join(ROOT, 'docs', 'images', `${name}.png`));
    expect(png.length, name).toBeLessThanOrEqual(PICTURE_BYTES_MAX);
    expect(sizeOf(png), name).toEqual({ width: PICTURE_WIDTH, height });
  }
});

it('takes the same pictures again of whatever a server shows', async () => {
  const { story, ...busy } = busyFixture({ endpoints: 1, predictions: 20, events: 10 });
  const shown = { ...busy, story };
  const watch = { monitors: monitorsFixture(), loop: loopFixture() };
  const folder = path.join(SCREENSHOTS, 'pictures');
  mkdirSync(folder, { recursive: true });
  const open = async (at: string) => {
    web.server.show(at.startsWith('/?') ? shown : { ...shown, watch });
    return await web.open(at);
  };
  await takePictures({ origin: web.server.url, endpoint: 'late', open }, folder);
  for (const { name, height } of PICTURES) {
    const png = readFileSync(path.join(folder, `${name}.png`));
    expect(sizeOf(png)).toEqual({ width: PICTURE_WIDTH, height });
  }
});
