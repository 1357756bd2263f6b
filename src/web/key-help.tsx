import { ActionIcon, Kbd, Modal, Table } from '@mantine/core';
import { IconKeyboard } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { pages } from './pages.ts';

interface KeyHelpProps {
  readonly isOpen: boolean;
  readonly open: () => void;
  readonly close: () => void;
}

/** The keys that work on every page, and the button that lists them. */
export function KeyHelp({ isOpen, open, close }: KeyHelpProps): ReactNode {
  const keys: readonly (readonly [readonly string[], string])[] = [
    ...pages.map(({ word, key }) => [['g', key], `Go to ${word}`] as const),
    [['/'], 'Go to the search or filter box of the page'],
    [['?'], 'Show this list'],
  ];
  return (
    <>
      <ActionIcon variant="subtle" color="gray" aria-label="Keys" visibleFrom="xs" onClick={open}>
        <IconKeyboard size={17} stroke={1.6} />
      </ActionIcon>
      <Modal
        opened={isOpen}
        onClose={close}
        title="Keys"
        size="sm"
        transitionProps={{ duration: 0 }}
      >
        <Table>
          <Table.Tbody>
            {keys.map(([sequence, about]) => (
              <Table.Tr key={about}>
                <Table.Td>
                  {sequence.map((key) => (
                    <Kbd key={key} mr={4}>
                      {key}
                    </Kbd>
                  ))}
                </Table.Td>
                <Table.Td>{about}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Modal>
    </>
  );
}
