import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { toCsv, type CsvValue } from '../../base/csv.ts';
import { download } from './download.ts';

interface SaveCsvProps {
  /** The start of the file's name. */
  readonly name: string;
  readonly header: readonly string[];
  /** Made when they are asked for. */
  readonly rows: () => readonly (readonly CsvValue[])[];
  readonly isDisabled?: boolean;
}

/** Saves what a table shows. */
export function SaveCsv({ name, header, rows, isDisabled = false }: SaveCsvProps): ReactNode {
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconDownload size={14} aria-hidden />}
      title={`Save ${name} as CSV`}
      disabled={isDisabled}
      onClick={() => {
        const text = toCsv(header, rows());
        const fileName = `${name.replaceAll(/\W+/g, '-').toLowerCase()}.csv`;
        download(fileName, new Blob([text], { type: 'text/csv' }));
      }}
    >
      CSV
    </Button>
  );
}
