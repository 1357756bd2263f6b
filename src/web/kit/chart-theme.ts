/** Told apart with the common forms of colour blindness (Okabe and Ito, 2008), calmed for areas. */
export const SERIES_COLORS = [
  '#3d7fc1',
  '#e39c37',
  '#2fa084',
  '#b0679d',
  '#c8643c',
  '#67b3dd',
  '#d6c445',
  '#8d96a3',
];

/** ECharts theme for a colour scheme. */
export function chartTheme(scheme: 'light' | 'dark'): object {
  const ink = scheme === 'dark' ? '#9aa4b0' : '#5c6670';
  const line = scheme === 'dark' ? '#2f3740' : '#e4e8ec';
  const paper = scheme === 'dark' ? '#21262d' : '#ffffff';
  const text = scheme === 'dark' ? '#d4dae1' : '#1f2429';
  const axis = {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: ink, fontSize: 11 },
    nameTextStyle: { color: ink, fontSize: 11 },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    color: SERIES_COLORS,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    timeAxis: { ...axis, splitLine: { show: false } },
    categoryAxis: axis,
    valueAxis: axis,
    legend: { textStyle: { color: ink, fontSize: 12 }, pageTextStyle: { color: ink } },
    tooltip: {
      backgroundColor: paper,
      borderColor: line,
      textStyle: { color: text, fontSize: 12 },
      axisPointer: { lineStyle: { color: ink } },
    },
  };
}
