import path from 'node:path';
import { chromium, type Browser } from '@playwright/test';
import { ROOT } from '../../scripts/run.ts';
import { buildWeb, isWebFresh } from '../../scripts/web.ts';
import { processEnv } from '../../src/platform/system.ts';

/** The folder of the UI as it is shipped, built from today's sources where it is not yet. */
export async function freshWeb(): Promise<string> {
  if (!isWebFresh()) {
    const { code, output } = await buildWeb();
    if (code !== 0) throw new Error(output);
  }
  return path.join(ROOT, 'dist', 'web');
}

/** A real Chromium, from CHROMIUM or where Debian installs it; it talks to nobody but the test. */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: processEnv['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export const SCREENSHOTS = path.join(ROOT, 'test-results', 'web');
