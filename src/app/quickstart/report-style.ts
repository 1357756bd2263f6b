/** The report's style: what a page needs that is read on a phone, on paper and in the dark. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1f2429; --dim: #5c6670; --rule: #dfe4e9; --wash: #f6f8fa;
  --link: #2a639e; --loop: #2a639e; --static: #b4600b;
  --good: #06684c; --bad: #b3201f; --bad-wash: #fdecec;
  --promoted: #06684c; --rolled-back: #a61e1e; --rejected: #6f42a0; --staged: #4d5762;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #161b22; --ink: #d4dae1; --dim: #96a0ac; --rule: #363e48; --wash: #1d232a;
    --link: #8fb3d9; --loop: #6db4ea; --static: #e8a23f;
    --good: #5cc79f; --bad: #ff8f88; --bad-wash: #3a1d1f;
    --promoted: #0d7a5b; --rolled-back: #b8332f; --rejected: #7f55b0; --staged: #5d6875;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body {
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif;
  margin: 0 auto; max-width: 960px; padding: 24px 20px 48px; overflow-wrap: anywhere;
}
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 12px; }
h2 { font-size: 18px; line-height: 1.3; margin: 36px 0 8px; }
h3 { font-size: 14px; margin: 20px 0 4px; }
p { margin: 8px 0; max-width: 44em; }
a { color: var(--link); }
.dim, figcaption, caption { color: var(--dim); font-size: 13px; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
table { border-collapse: collapse; margin: 8px 0; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; caption-side: bottom; padding-top: 6px; }
th, td { border-bottom: 1px solid var(--rule); padding: 4px 8px; text-align: left;
  vertical-align: top; }
thead th { color: var(--dim); font-size: 13px; font-weight: 600; }
tbody th { font-weight: 400; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.group { text-align: center; border-bottom-color: var(--dim); }
.first { padding-left: 24px; }
.all th, .all td { border-bottom: 2px solid var(--dim); font-size: 16px; }
.weeks td.dim { font-size: inherit; }
.short { max-width: 30em; }
.time { white-space: nowrap; }
.text { overflow-wrap: anywhere; }
figure { margin: 8px 0 20px; }
svg { display: block; height: auto; max-width: 100%; }
.chart svg { width: 100%; }
.narrow { display: none; }
.grid { stroke: var(--rule); }
.axis { stroke: var(--dim); }
.tick { fill: var(--dim); font-size: 12px; }
.line { fill: none; stroke-width: 2; }
.line.loop { stroke: var(--loop); }
.line.static { stroke: var(--static); stroke-dasharray: 6 4; }
.dot.loop { fill: var(--loop); }
.dot.static { fill: var(--static); }
.mark { stroke-width: 1; stroke-dasharray: 2 3; }
.mark.promoted { stroke: var(--promoted); } .badge.promoted { fill: var(--promoted); }
.mark.rolled_back { stroke: var(--rolled-back); } .badge.rolled_back { fill: var(--rolled-back); }
.mark.rejected { stroke: var(--rejected); } .badge.rejected { fill: var(--rejected); }
.mark.staged { stroke: var(--staged); } .badge.staged { fill: var(--staged); }
.badge-text { fill: #ffffff; font-size: 11px; font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; margin: 4px 0;
  padding: 0; list-style: none; }
.legend svg { display: inline-block; vertical-align: middle; margin-right: 6px; }
.pill { display: inline-block; border-radius: 9px; padding: 0 7px; font-size: 12px;
  line-height: 18px; color: #ffffff; font-weight: 600; text-decoration: none; }
.pill.promoted { background: var(--promoted); } .pill.rejected { background: var(--rejected); }
.pill.rolled_back { background: var(--rolled-back); } .pill.staged { background: var(--staged); }
.shares { height: 22px; width: 100%; border-radius: 4px; }
.swatch { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 2px; }
.chain { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: flex-end; margin: 12px 0; }
.chain div { line-height: 1.3; }
.chain b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.chain span { color: var(--dim); font-size: 13px; }
.chain i { font-size: 20px; font-style: normal; line-height: 26px; align-self: flex-start; }
.verdict { border-left: 4px solid var(--good); padding: 6px 12px; background: var(--wash);
  max-width: none; }
.verdict.broken { border-color: var(--bad); background: var(--bad-wash); color: var(--bad);
  font-weight: 600; }
.verdict.open { border-color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 16px; margin: 8px 0; }
dt, dd { margin: 0; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace;
  background: var(--wash); border-radius: 3px; padding: 1px 5px; }
@media (max-width: 640px) {
  body { padding: 16px 12px 32px; font-size: 14px; }
  h1 { font-size: 20px; }
  .wide { display: none; }
  .narrow { display: block; }
  th, td { padding: 3px 4px; }
  .weeks, .weeks thead th, .all th, .all td { font-size: 12px; }
  .weeks th, .weeks td { padding: 3px 2px; letter-spacing: -0.02em; }
  .weeks .first { padding-left: 6px; }
  .year { display: none; }
  .decisions thead { display: none; }
  .decisions tr { display: block; border-bottom: 1px solid var(--rule); padding: 6px 0; }
  .decisions td { border: 0; display: inline-block; padding: 0 10px 0 0; }
  .decisions td.text { display: block; padding: 2px 0 0; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 10px; }
}
@media (max-width: 390px) {
  .weeks, .weeks thead th, .all th, .all td { font-size: 11px; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; }
  .wide { display: block; }
  .narrow { display: none; }
  tr, figure, .verdict, .chain { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .badge, .pill, .swatch, .shares, .verdict { print-color-adjust: exact; }
}
`;
