/**
 * Text that clients chose (keys, reasons, descriptions) as a terminal may show it: control
 * characters, which could move its cursor or retitle its window, are spelled out.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}
