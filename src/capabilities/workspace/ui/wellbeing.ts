import { secondsBetween } from '../../../web/kit/instant-text.ts';
import { formatBytes, formatCounted } from '../../../web/kit/format.ts';
import type { RouteReply } from '../../../base/route.ts';
import type { getLogStatus } from '../../predictions/contract.ts';
import type { Health, Status } from '../contract.ts';
import type { OpenAlert } from './open-alerts.ts';

export type LogStatus = RouteReply<typeof getLogStatus>;

/** Something that is not as it should be, and what it means for the user. */
export interface Trouble {
  readonly what: string;
  readonly about: string;
  readonly isSevere: boolean;
}

/** Records reach their table within 10 s; a minute late means that flushing hangs. */
const FLUSH_LATE_SECONDS = 60;

/** Everything that is wrong now, worst first; empty when all is well. */
export function troubles(
  health: Health,
  status: Status,
  log: LogStatus,
  alerts: readonly OpenAlert[],
): readonly Trouble[] {
  const found = [
    ...componentTroubles(health),
    ...engineTroubles(status),
    ...logTroubles(log, status),
    ...alertTroubles(alerts),
  ];
  return found.sort((a, b) => Number(b.isSevere) - Number(a.isSevere));
}

function componentTroubles(health: Health): readonly Trouble[] {
  return health.components
    .filter(({ status }) => status === 'down')
    .map(({ name, detail }) => ({
      what: `${name} is down`,
      about: detail ?? 'It reported no detail; the log of the server has more.',
      isSevere: true,
    }));
}

function engineTroubles({ engine }: Status): readonly Trouble[] {
  if (engine.state === 'ready') return [];
  const isPassing = engine.state === 'starting' || engine.state === 'restarting';
  return [
    {
      what: `The engine is ${engine.state}`,
      about: isPassing
        ? 'Serving goes on; tables and flushes wait until it is ready.'
        : 'Serving goes on; tables cannot be read and the prediction log is not flushed.',
      isSevere: !isPassing,
    },
  ];
}

/** What is only worth a look keeps nothing from being well. */
function alertTroubles(alerts: readonly OpenAlert[]): readonly Trouble[] {
  const grave = alerts.filter(({ state }) => state === 'alert');
  if (grave.length === 0) return [];
  return [
    {
      what: `${formatCounted(grave.length, 'alert')} of monitors`,
      about: `${grave[0]!.title}. ${grave[0]!.explanation}`,
      isSevere: true,
    },
  ];
}

function roomTrouble({ room, unflushedBytes, unflushedBytesMax, refused }: LogStatus): Trouble {
  const held = `It holds ${formatBytes(unflushedBytes)} of ${formatBytes(unflushedBytesMax)}`;
  return room === 'full'
    ? {
        what: 'The journal is full',
        about: `${held}; ${formatCounted(refused, 'request')} refused since the start.`,
        isSevere: true,
      }
    : {
        what: 'The journal is half full',
        about: `${held}; when it is full, requests are refused.`,
        isSevere: false,
      };
}

function logTroubles(log: LogStatus, status: Status): readonly Trouble[] {
  const found: Trouble[] = [];
  if (log.answered > log.journaled) {
    found.push({
      what: `${formatCounted(log.answered - log.journaled, 'answered request')} not logged`,
      about: 'They cannot be traced or monitored.',
      isSevere: true,
    });
  }
  if (log.room !== 'roomy') found.push(roomTrouble(log));
  const lateBy = log.lastFlushAt === null ? null : secondsBetween(log.lastFlushAt, status.wall);
  if (log.lastFlushError !== null) {
    found.push({
      what: 'The prediction log could not be flushed',
      about: `${log.lastFlushError} Nothing is lost: the records wait in the journal.`,
      isSevere: true,
    });
  } else if (log.unflushedBytes > 0 && lateBy !== null && lateBy > FLUSH_LATE_SECONDS) {
    found.push({
      what: 'The prediction log is flushed late',
      about: 'Nothing is lost: the records wait in the journal. The engine may be busy.',
      isSevere: false,
    });
  }
  return found;
}
