import type { TestApp } from '../../src/app/testing.ts';

/** Kinds of the events of a subject, newest first. */
export async function eventsList(app: TestApp, subject: string): Promise<readonly string[]> {
  const events = await app.app.platform.events.list({ subject, limit: 10 });
  return events.map(({ kind }) => kind);
}
