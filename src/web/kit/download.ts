/** Saves bytes or a data URL under a file name, as if its link had been clicked. */
export function download(fileName: string, content: Blob | string): void {
  const url = typeof content === 'string' ? content : URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  if (typeof content !== 'string') URL.revokeObjectURL(url);
}
