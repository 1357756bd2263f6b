import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import { parseMoment } from '../../base/moment.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Output } from '../../platform/cli/output.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { BUCKETS, whoServed, type RouteRevision, type WhoServed } from './contract.ts';

interface Options {
  readonly at?: string;
  readonly key?: string;
  readonly limit: number;
}

export function whoServedCommand(program: Command, cli: CliContext): void {
  program
    .command('who-served')
    .description('which version answered at a moment: route revision, arm of a key, requests')
    .argument('<endpoint>', 'endpoint')
    .option('--at <time>', 'the moment, in domain time with a zone; default: now', momentOption)
    .option('--key <name=value>', 'the caller: the sticky parameter, the key, or request_id')
    .option('--limit <n>', 'requests shown before the moment, and after it', wholeNumber, 5)
    .action(async (endpoint: string, { at, key, limit }: Options) => {
      const query = {
        limit,
        ...(at === undefined ? {} : { at }),
        ...(key === undefined ? {} : { key }),
      };
      const found = await cli.withApi((api) =>
        api.call(whoServed, { params: { endpoint }, query }),
      );
      cli.out.result(found, () => printWhoServed(found, cli.out));
    });
}

function momentOption(text: string): string {
  const moment = parseMoment(text);
  if (moment !== null) return moment;
  throw new AppError('INVALID_INPUT', `${text} is no time.`, {
    hint: 'Give it with a zone, such as 2001-04-27T11:02Z.',
  });
}

function printWhoServed(found: WhoServed, out: Output): void {
  const { endpoint, at, revision, until, key, answer, undecided, requests } = found;
  if (revision === null) {
    out.line(`${endpoint} at ${at} (domain): nobody, ${undecided}`);
    return;
  }
  const whose = key === null ? '' : ` for ${key.name}=${key.value}`;
  const who =
    answer === null
      ? `undecided: ${undecided}`
      : `${answer.model} v${answer.version} (arm ${answer.arm}${bucketText(answer.bucket)})`;
  out.line(`${endpoint} at ${at} (domain)${whose}: ${who}`);
  printRevision(revision, until, out);
  const ranges = found.ranges.map(
    ({ arm, version, from, below }) =>
      `${arm} v${version} ${(100 * (below - from)) / BUCKETS} % (buckets ${from}-${below - 1})`,
  );
  out.line(`  arms       ${ranges.join(', ')}   by ${found.stickyBy}`);
  if (answer === null && key === null) {
    out.line(`  next: millwright who-served ${endpoint} --at ${at} --key ${found.stickyBy}=VALUE`);
  }
  if (requests.length === 0) {
    out.line('  requests   none within a day of it under this revision');
    return;
  }
  out.table(
    ['request', 'answered (domain)', 'version', 'arm', 'why', 'revision', 'status', 'key'],
    requests.map((request) => [
      request.requestId,
      request.now,
      request.modelVersion,
      request.arm,
      request.reason,
      request.routeRevision,
      request.status,
      request.key,
    ]),
  );
  out.line(`next: millwright trace ${requests[0]!.requestId}`);
}

function bucketText(bucket: number | null): string {
  return bucket === null ? '' : `, bucket ${bucket} of ${BUCKETS}`;
}

function printRevision(revision: RouteRevision, until: string | null, out: Output): void {
  const { revision: number, now, actor, reason, restores } = revision;
  const why = reason === '' ? 'no reason given' : reason;
  const back = restores === null ? '' : `, restores revision ${restores}`;
  const end = until === null ? 'still current' : `until ${until}`;
  out.line(`  route      revision ${number} from ${now}, ${end}   by ${actor}: ${why}${back}`);
}
