import path from 'node:path';
import { present } from '../../base/assert.ts';
import { parseInstant, type Micros } from '../../base/time.ts';
import type { HttpApi } from '../../platform/cli/http-api.ts';
import type { FlightsStory } from './flights-story.ts';
import type { QuickstartReport } from './quickstart-report.ts';

/** January and February are history when the story begins. */
export const BEGINS = present(parseInstant('2001-03-01T00:00:00Z'), 'the beginning');
/** The flights end with June. */
export const ENDS = present(parseInstant('2001-07-01T00:00:00Z'), 'the end');

/** What the phases of the quickstart share. */
export interface Story {
  readonly url: string;
  /** What the server is called with. */
  readonly token: string;
  readonly api: HttpApi;
  /** The project's. */
  readonly folder: string;
  readonly tell: FlightsStory;
  readonly report: QuickstartReport;
  /** How far to replay. */
  readonly until: Micros;
}

export interface Saying {
  /** What goes on; the next replaces it. */
  readonly now: (text: string) => void;
  /** What happened; it stays. */
  readonly line: (text: string) => void;
}

/** Answers in a line what was done. */
export type Phase = (story: Story, say: Saying) => Promise<string>;

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function shown(folder: string): string {
  return path.relative(process.cwd(), folder) || '.';
}
