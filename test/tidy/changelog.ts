import { finding, type Finding, type Rule } from './rule.ts';

const HEADING = /^## \[(?:Unreleased|(\d+\.\d+\.\d+))\](?: - (\d{4}-\d{2}-\d{2}))?$/;
const GROUPS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

/** Keep a Changelog 1.1: newest first, Unreleased on top, every release dated. */
export const changelogRule: Rule = {
  name: 'changelog',
  check: (tree) => {
    const file = tree.file('CHANGELOG.md');
    if (file === undefined) return [{ path: 'CHANGELOG.md', line: 1, says: 'is missing' }];
    const found: Finding[] = [];
    let versions = 0;
    for (const [index, text] of file.lines.entries()) {
      const say = (says: string) => found.push(finding(file, index + 1, says));
      if (text.startsWith('## ')) {
        const match = HEADING.exec(text);
        if (match === null) say('write `## [Unreleased]` or `## [1.2.3] - 2026-01-31`');
        else if ((match[1] === undefined) !== (match[2] === undefined)) say('a release has a date');
        else if ((match[1] === undefined) !== (versions === 0))
          say('[Unreleased] comes first, once');
        versions++;
      } else if (text.startsWith('### ') && !GROUPS.includes(text.slice(4))) {
        say(`groups are ${GROUPS.join(', ')}`);
      }
    }
    if (file.lines[0] !== '# Changelog') found.push(finding(file, 1, 'starts with `# Changelog`'));
    if (versions === 0) found.push(finding(file, file.lines.length, 'has no `## [Unreleased]`'));
    return found;
  },
  plants: [
    { files: {}, at: 'CHANGELOG.md:1' },
    { files: { 'CHANGELOG.md': '# History\n\n## [Unreleased]' }, at: 'CHANGELOG.md:1' },
    { files: { 'CHANGELOG.md': '# Changelog' }, at: 'CHANGELOG.md:1' },
    { files: { 'CHANGELOG.md': '# Changelog\n\n## [1.0.0] - 2026-01-01' }, at: 'CHANGELOG.md:3' },
    { files: { 'CHANGELOG.md': '# Changelog\n## [Unreleased]\n## [1.0.0]' }, at: 'CHANGELOG.md:3' },
    { files: { 'CHANGELOG.md': '# Changelog\n## [Unreleased]\n### Misc' }, at: 'CHANGELOG.md:3' },
  ],
  allows: [
    { 'CHANGELOG.md': '# Changelog\n## [Unreleased]\n### Added\n- x\n## [1.0.0] - 2026-01-01' },
  ],
};
