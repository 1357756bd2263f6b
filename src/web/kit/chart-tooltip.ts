export interface TooltipLine {
  /** A dot of this colour before the label. */
  readonly color?: string;
  readonly label: string;
  readonly value: string;
}

/** The box beside a chart's pointer, as elements: names and reasons come from callers. */
export function chartTooltip(title: string, lines: readonly TooltipLine[]): HTMLElement {
  const box = document.createElement('div');
  box.style.maxWidth = '340px';
  box.style.whiteSpace = 'normal';
  const head = box.appendChild(document.createElement('div'));
  head.textContent = title;
  head.style.fontWeight = '600';
  for (const { color, label, value } of lines) {
    const line = box.appendChild(document.createElement('div'));
    line.style.display = 'flex';
    line.style.gap = '8px';
    line.style.alignItems = 'baseline';
    const dot = line.appendChild(document.createElement('span'));
    dot.style.flex = '0 0 8px';
    dot.style.height = '8px';
    dot.style.borderRadius = '4px';
    dot.style.background = color ?? 'transparent';
    line.appendChild(document.createElement('span')).textContent = label;
    const number = line.appendChild(document.createElement('span'));
    number.textContent = value;
    number.style.marginLeft = 'auto';
    number.style.fontVariantNumeric = 'tabular-nums';
  }
  return box;
}
