import path from 'node:path';
import type { Page } from '@playwright/test';

/** What README shows of the pages: each is made from what a server answers, of one width. */
export const PICTURE_WIDTH = 1280;
/** What somebody on a slow line still waits for. */
export const PICTURE_BYTES_MAX = 180_000;

interface Shown {
  /** Where the pages come from. */
  readonly origin: string;
  readonly endpoint: string;
  readonly open: (path: string) => Promise<Page>;
}

interface Picture {
  readonly name: string;
  /** As much as there is to see of it, in pixels. */
  readonly height: number;
  /** Brings the page to where it is taken. */
  readonly take: (shown: Shown) => Promise<Page>;
  /** What is in the middle of it, seen to its end; else the top of the page is taken. */
  readonly until?: string;
}

export const PICTURES: readonly Picture[] = [
  {
    name: 'overview',
    height: 900,
    take: async ({ open, endpoint }) => {
      const page = await open(`/?endpoint=${endpoint}`);
      await page.getByText(/^Had v\d+ stayed: /).waitFor({ timeout: SCORING_MS });
      return page;
    },
  },
  {
    name: 'monitor',
    height: 1120,
    take: async ({ open, endpoint }) => {
      const page = await open(`/monitors/${endpoint}?column=distance`);
      const units = page.getByRole('region', { name: 'Changed units' });
      const shown = units.getByRole('link', { name: /^How distance was distributed/ });
      await shown.click();
      await page.waitForURL('**day=*');
      return page;
    },
    until: 'Changed units',
  },
  {
    name: 'decision',
    height: 880,
    take: async ({ open, origin, endpoint }) => {
      const decisions = await read(`${origin}/api/v1/loops/${endpoint}/decisions?limit=200`);
      const rejected = decisions.find(({ kind }) => kind === 'rejected');
      const page = await open(`/loop/${endpoint}/decisions/${String(rejected?.id)}`);
      await page.getByRole('region', { name: 'Gate' }).waitFor();
      return page;
    },
  },
  {
    name: 'trace',
    height: 880,
    take: async ({ open, origin, endpoint }) => {
      const page = await open(`/trace/${await labelledRequest(origin, endpoint)}`);
      await page.getByRole('region', { name: 'Routing' }).waitFor();
      return page;
    },
  },
];

/** Days that were never scored are, when the page asks for the first time. */
const SCORING_MS = 300_000;

export async function takePictures(shown: Shown, folder: string): Promise<void> {
  for (const { name, height, take, until } of PICTURES) {
    const page = await take(shown);
    await page.setViewportSize({ width: PICTURE_WIDTH, height });
    const loading = page.locator('.mantine-Skeleton-root');
    while ((await loading.count()) > 0) await loading.first().waitFor({ state: 'detached' });
    if (until !== undefined) {
      const region = page.getByRole('region', { name: until });
      await region.evaluate((element: { scrollIntoView(how: object): void }) => {
        element.scrollIntoView({ block: 'end' });
      });
    }
    await page.mouse.move(0, 0);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    await page.close();
  }
}

/** One of some days ago, whose outcome is known by now; of a young log the newest. */
async function labelledRequest(origin: string, endpoint: string): Promise<string> {
  const list = `${origin}/api/v1/endpoints/${endpoint}/predictions?limit=1`;
  const [newest] = await read(list);
  const before = new Date(Date.parse(newest?.now ?? '') - DAYS_AGO * DAY_MS);
  const [older] = await read(`${list}&until=${before.toISOString()}`);
  return String((older ?? newest)?.requestId);
}

const DAYS_AGO = 5;
const DAY_MS = 86_400_000;

/** As much of listed things as is asked of them here. */
interface Listed {
  readonly id?: number;
  readonly kind?: string;
  readonly requestId?: string;
  readonly now?: string;
}

async function read(url: string): Promise<readonly Listed[]> {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${url} answered ${String(reply.status)}.`);
  return ((await reply.json()) as { readonly items: readonly Listed[] }).items;
}
