import { homedir } from 'node:os';
import { finding, type Finding, type Rule } from './rule.ts';
import type { SourceFile } from './tree.ts';

function linesMatching(file: SourceFile, pattern: RegExp, says: string): readonly Finding[] {
  return file.lines.flatMap((line, index) =>
    pattern.test(line) ? [finding(file, index + 1, says)] : [],
  );
}

// Put together from parts, so that this file does not break its own rules.
const PROMISES = ['TODO', 'FIXME', 'XXX'];
const HOST = (...parts: readonly string[]) => parts.join('.');
const PACKAGE_HOSTS = [
  HOST('npmjs', 'org'),
  HOST('npmjs', 'com'),
  HOST('yarnpkg', 'com'),
  HOST('pypi', 'org'),
  HOST('pythonhosted', 'org'),
  HOST('debian', 'org'),
  HOST('archive', 'ubuntu', 'com'),
  HOST('nodesource', 'com'),
];

export const promiseRule: Rule = {
  name: 'promises',
  check: (tree) => {
    const word = new RegExp(`\\b(?:${PROMISES.join('|')})\\b`);
    const says = 'do it now, or put it where work is planned';
    return tree.files.flatMap((file) =>
      file.isCode
        ? file.comments
            .filter((comment) => word.test(comment.value))
            .map((comment) => finding(file, file.lineAt(comment.start), says))
        : linesMatching(file, word, says),
    );
  },
  plants: [
    { files: { 'src/a.ts': `\n// ${PROMISES[0]} later` }, at: 'src/a.ts:2' },
    { files: { 'docs/a.md': `${PROMISES[1]}: write` }, at: 'docs/a.md:1' },
  ],
  allows: [{ 'src/a.ts': `const word = '${PROMISES[0]}';` }],
};

export const hostRule: Rule = {
  name: 'registry hosts',
  check: (tree) => {
    const hosts = PACKAGE_HOSTS.map((host) => host.replaceAll('.', '\\.')).join('|');
    const pattern = new RegExp(`(?:^|[^\\w.-])(?:[\\w-]+\\.)*(?:${hosts})\\b`, 'i');
    const says = "package hosts are each machine's own setting; name the command instead";
    return tree.files.flatMap((file) => linesMatching(file, pattern, says));
  },
  plants: [
    { files: { '.npmrc': `\nregistry=https://registry.${PACKAGE_HOSTS[0]}/` }, at: '.npmrc:2' },
    { files: { 'docs/a.md': `https://${PACKAGE_HOSTS[3]}/simple` }, at: 'docs/a.md:1' },
    { files: { 'scripts/a.ts': `'deb.${PACKAGE_HOSTS[5]}'` }, at: 'scripts/a.ts:1' },
  ],
};

/** Where a container's author lives, and where this one does. */
const HOMES = [['', 'root'].join('/'), homedir()].filter((home) => home.length > 1);

export const machinePathRule: Rule = {
  name: 'machine paths',
  check: (tree) => {
    const homes = HOMES.map((home) => home.replaceAll(/[^\w/]/g, '\\$&')).join('|');
    const pattern = new RegExp(`(?:^|[\\s'"\`(=:])(?:${homes})/`);
    const says = 'a path of one machine; make it relative or take it from the caller';
    return tree.files.flatMap((file) => linesMatching(file, pattern, says));
  },
  plants: [
    { files: { 'docs/a.md': `cd ${HOMES[0]}/millwright` }, at: 'docs/a.md:1' },
    { files: { 'src/a.ts': `'${HOMES[0]}/x'` }, at: 'src/a.ts:1' },
  ],
  allows: [{ 'docs/a.md': '`/api/v1/home/`, `./root/x` and `/home/ana/flights`' }],
};
