import { statSync } from 'node:fs';
import path from 'node:path';
import { launchBrowser } from '../test/e2e/browser.ts';
import { PICTURE_BYTES_MAX, PICTURE_WIDTH, PICTURES, takePictures } from '../test/e2e/pictures.ts';
import { ROOT } from './run.ts';

/**
 * `npm run pictures`: takes the pictures that README shows, from the quickstart while it is up (as
 * `npm start` leaves it), or from another server whose URL is given.
 */
const origin = process.argv[2] ?? 'http://127.0.0.1:7070';
const folder = path.join(ROOT, 'docs', 'images');
const browser = await launchBrowser();
try {
  const context = await browser.newContext({
    viewport: { width: PICTURE_WIDTH, height: 900 },
    colorScheme: 'light',
  });
  const open = async (at: string) => {
    const page = await context.newPage();
    await page.goto(origin + at);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  };
  await takePictures({ origin, endpoint: 'late', open }, folder);
} finally {
  await browser.close();
}
for (const { name } of PICTURES) {
  const { size } = statSync(path.join(folder, `${name}.png`));
  process.stdout.write(`${name}.png ${size} bytes\n`);
  if (size > PICTURE_BYTES_MAX) process.exitCode = 1;
}
