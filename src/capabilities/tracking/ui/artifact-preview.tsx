import { Alert, Code, Group, Image, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { CloseLink } from './close-link.tsx';
import { callBytes } from '../../../web/kit/client.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { artifactKind, fileName, previewText, whyNotShown } from './artifact-kind.ts';
import classes from './artifacts-section.module.css';

interface ArtifactPreviewProps {
  readonly path: string;
  readonly url: string;
  readonly sizeBytes: number | null;
}

/** A small file as it is: text, indented JSON, or a picture. */
export function ArtifactPreview({ path, url, sizeBytes }: ArtifactPreviewProps): ReactNode {
  const why = whyNotShown(path, sizeBytes);
  return (
    <section aria-label={`Preview of ${fileName(path)}`} style={{ marginTop: 16 }}>
      <Group justify="space-between" gap="xs" mb="xs">
        <Title order={3} style={{ overflowWrap: 'anywhere' }}>
          {path}
        </Title>
        <CloseLink />
      </Group>
      {why === null ? (
        <Content key={path} path={path} url={url} />
      ) : (
        <Alert color="gray" title={why} />
      )}
    </section>
  );
}

function Content({ path, url }: { readonly path: string; readonly url: string }): ReactNode {
  const kind = artifactKind(path) ?? 'text';
  const content = useQuery({
    queryKey: ['artifact', url],
    queryFn: ({ signal }) => callBytes(url, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Loaded query={content} height={200}>
      {(bytes) =>
        kind === 'image' ? (
          <Picture bytes={bytes} name={fileName(path)} />
        ) : (
          <Code block className={classes['preview']} tabIndex={0}>
            {previewText(kind, new TextDecoder().decode(bytes))}
          </Code>
        )
      }
    </Loaded>
  );
}

const TYPES: Readonly<Record<string, string>> = { svg: 'image/svg+xml', jpg: 'image/jpeg' };

function Picture(props: { readonly bytes: ArrayBuffer; readonly name: string }): ReactNode {
  const { bytes, name } = props;
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const suffix = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
    const blob = new Blob([bytes], { type: TYPES[suffix] ?? `image/${suffix}` });
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [bytes, name]);
  if (url === undefined) return null;
  return <Image src={url} alt={name} w="auto" fit="contain" className={classes['image'] ?? ''} />;
}
