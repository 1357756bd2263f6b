// `npm start` and `npm test` on a bare clone. Plain JavaScript, because it also runs on Node 20: it
// installs the dependencies, among them Node 24 itself, and hands over to the real script.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from './hand-over.mjs';
import { Obstacle, runMain, step } from './progress.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const LOCK = join(ROOT, 'package-lock.json');
/** Written after a complete install, so that an interrupted one is repeated. */
const STAMP = join(MODULES, '.millwright-install');

const OLDEST_NODE = 20;
const WANTED_NODE = 24;

/** Enough of npm's output to hold its error report. */
const OUTPUT_MAX = 64 * 1024;

await runMain(async () => {
  const [verb, ...rest] = process.argv.slice(2);
  if (verb !== 'start' && verb !== 'test') throw new Obstacle('usage: bootstrap.mjs start|test');
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new Obstacle(
      `This is Node.js ${process.versions.node}; Millwright needs ${OLDEST_NODE} or newer ` +
        `(and then fetches Node ${WANTED_NODE} for itself). Install a newer one and try again.`,
    );
  }
  if (!isInstalled()) await step('dependencies', install);
  const node = await findNode();
  handOver(node, [join(ROOT, 'scripts', `${verb}.ts`), ...rest], ownEnv());
});

function ownEnv() {
  const bin = join(MODULES, '.bin');
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
}

function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    hash.update(readFileSync(join(ROOT, name)));
  }
  return hash.digest('hex');
}

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

/**
 * `npm install`, not `npm ci`: see CONTRIBUTING.md, "The lock file". What makes it safe is that
 * what is locked must come out as it went in.
 */
async function install() {
  const before = readFileSync(LOCK, 'utf8');
  const { code, output } = await runNpm(['install', '--include=dev', '--no-audit', '--no-fund']);
  const after = readFileSync(LOCK, 'utf8');
  if (after !== before) writeFileSync(LOCK, before);
  if (locked(after) !== locked(before)) {
    throw new Obstacle(
      'npm install wanted to change package-lock.json, so package.json and the lock disagree.\n' +
        'The lock is as it was. After a change of package.json: run `npm install` and commit both.',
    );
  }
  if (code !== 0) throw new Obstacle(explain(output));
  writeFileSync(STAMP, fingerprint());
}

/**
 * The lock without what depends on who writes it and where: npm 10 leaves out `libc`, which npm 11
 * records, and registries that mirror only some platforms lack the optional builds of the others.
 *
 * @param {string} text
 */
function locked(text) {
  const lock = JSON.parse(text, (key, value) => (key === 'libc' ? undefined : value));
  const packages = Object.entries(lock.packages ?? {});
  lock.packages = Object.fromEntries(packages.filter(([, entry]) => !isBuildForOthers(entry)));
  return JSON.stringify(lock);
}

/** @param {{ optional?: boolean, os?: string[], cpu?: string[] }} entry of a lock file */
function isBuildForOthers({ optional, os = [process.platform], cpu = [process.arch] }) {
  return optional === true && !(os.includes(process.platform) && cpu.includes(process.arch));
}

/**
 * The npm that runs us, else the first on the PATH.
 *
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function runNpm(args) {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  const known = script?.endsWith('.js') === true && existsSync(script);
  const command = known ? (node ?? process.execPath) : 'npm';
  const isShellScript = !known && process.platform === 'win32';
  return new Promise((resolve, reject) => {
    const child = spawn(command, known ? [script, ...args] : args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: isShellScript,
    });
    let output = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', () => {
      reject(
        new Obstacle('npm was not found. It comes with Node.js; install it, or put it on PATH.'),
      );
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** @param {string} output */
function explain(output) {
  const tail = output.trim().split('\n').slice(-25).join('\n');
  const causes = [
    {
      sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/,
      says:
        'npm could not reach its package registry. Check the network and proxy; ' +
        '`npm config get registry` says where it looks, `npm config set registry` changes it.',
    },
    { sign: /ENOSPC/, says: 'The disk is full; the dependencies need about 1.5 GB.' },
    { sign: /EACCES|EPERM|EROFS/, says: 'npm may not write here. Use a folder that you own.' },
    { sign: /E401|E403/, says: 'The npm registry refused access; see `npm login` and .npmrc.' },
  ];
  const says = causes.find((cause) => cause.sign.test(output))?.says ?? 'npm install failed.';
  return `${tail}\n\n${says}`;
}

/** Node 24: the one of devDependencies where it has a build for this machine, else our own. */
async function findNode() {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const candidates = [join(MODULES, 'node', 'bin', file), process.execPath];
  const seen = [];
  for (const candidate of candidates) {
    const version = await versionOf(candidate);
    if (version?.startsWith(`v${WANTED_NODE}.`)) return candidate;
    seen.push(`  ${candidate}: ${version ?? 'does not run'}`);
  }
  throw new Obstacle(
    `Millwright runs on Node ${WANTED_NODE}, and none was found:\n${seen.join('\n')}\n` +
      'Its own comes from the npm package `node`, whose install script must be allowed to run\n' +
      `(\`npm config get ignore-scripts\` says false); or install Node ${WANTED_NODE} yourself.`,
  );
}

/**
 * @param {string} node
 * @returns {Promise<string | null>}
 */
function versionOf(node) {
  return new Promise((resolve) => {
    const child = spawn(node, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => (text += chunk.toString()));
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code === 0 ? text.trim() : null));
  });
}
