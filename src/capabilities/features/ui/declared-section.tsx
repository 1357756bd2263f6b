import { Code } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Section } from '../../../web/kit/section.tsx';
import classes from './declared-section.module.css';

/** The part of millwright.yaml that this definition is; JSON, which is YAML too. */
export function DeclaredSection(props: {
  readonly declared: Readonly<Record<string, unknown>>;
}): ReactNode {
  const text = JSON.stringify(props.declared, null, 2);
  return (
    <Section title="As declared" aside={<CopyCode code={text} shown="JSON" />}>
      <Code block className={classes['text']} tabIndex={0}>
        {text}
      </Code>
    </Section>
  );
}
