import { defineConfig } from 'vitest/config';
import { findChromium } from './scripts/chromium.ts';
import { findPython } from './scripts/python.ts';

const chromium = findChromium();
const python = findPython();

export default defineConfig({
  test: {
    include: ['{src,test,bench,scripts}/**/*.test.ts'],
    env: {
      ...(chromium === null ? {} : { CHROMIUM: chromium }),
      ...(python === null ? {} : { PYTHON: python }),
    },
    globalSetup: ['test/global-setup.ts'],
    // Faults, conformance and browser suites start processes; two cores serve two files at a time.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // What is waited for comes when it comes: pages and servers share the cores with other tests.
    expect: { poll: { timeout: 15_000 } },
  },
});
