import { ActionIcon, Code, CopyButton, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './copy-code.module.css';

interface CopyCodeProps {
  readonly code: string;
  /** What is shown, where it is shorter than what is copied. */
  readonly shown?: string;
  /** A block takes its whole line, for commands; otherwise it flows with the text. */
  readonly isBlock?: boolean;
}

/** A command, id or digest, and a button that copies the whole of it. */
export function CopyCode({ code, shown = code, isBlock = false }: CopyCodeProps): ReactNode {
  return (
    <Group
      component="span"
      gap={4}
      wrap="nowrap"
      className={classes['root']}
      data-block={isBlock || undefined}
    >
      <Code className={classes['code']} {...(shown === code ? {} : { title: code })}>
        {shown}
      </Code>
      <CopyButton value={code}>
        {({ copied, copy }) => (
          <ActionIcon
            size="sm"
            variant="subtle"
            color={copied ? 'teal' : 'gray'}
            aria-label={copied ? 'Copied' : `Copy ${shown}`}
            onClick={copy}
          >
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  );
}
