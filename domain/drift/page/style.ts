/** The page's looks, for light and dark screens and for paper. A verdict is always a word, too: colour alone tells nobody enough. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --card: #f6f7f9; --ink: #1b1f24; --faint: #68727e; --line: #d5dae0;
  --reference: #9aa5b1; --current: #2f6fde; --day: #e08a1e; --ok: #1a7f4b; --warn: #b26a00; --drift: #c6303e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1d2127; --ink: #e6e9ed; --faint: #98a2ad; --line: #343b44;
  --reference: #6b7682; --current: #6ea2ff; --day: #f2b35c; --ok: #4cc38a; --warn: #f0ad4e; --drift: #ff7b86; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1240px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 8px; } h3 { font-size: 15px; margin: 0; }
p, ul { margin: 4px 0; } .faint { color: var(--faint); }
.badge { display: inline-block; padding: 1px 9px; border: 1px solid currentColor; border-radius: 99px; font-size: 13px; font-weight: 600; vertical-align: 2px; }
.badge.ok, .badge.none { color: var(--ok); } .badge.warn { color: var(--warn); } .badge.drift { color: var(--drift); } .badge.inconclusive { color: var(--faint); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; white-space: normal; vertical-align: bottom; line-height: 1.25; } th:first-child, td:first-child, td.text, th.text { text-align: left; } td.text { white-space: normal; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; break-inside: avoid; }
.card header { display: flex; justify-content: space-between; align-items: baseline; gap: 8px; overflow-wrap: anywhere; }
.card h4 { margin: 10px 0 2px; font-size: 12px; color: var(--faint); font-weight: 600; } .card ul { padding-left: 18px; font-size: 13px; }
svg { display: block; width: 100%; height: auto; } svg text { font: 9px system-ui, sans-serif; fill: var(--faint); } svg .end { text-anchor: end; }
svg .reference { fill: var(--reference); stroke: var(--reference); } svg .current { fill: var(--current); stroke: var(--current); }
svg .last_day { fill: var(--day); } svg rect { stroke: none !important; } svg .whisker { stroke-width: 1.5; } svg .median { stroke: var(--paper); stroke-width: 2; }
svg .axis { stroke: var(--line); } svg .limit { stroke: var(--faint); stroke-dasharray: 3 3; } svg .warn { fill: var(--warn); } svg .drift { fill: var(--drift); } svg .faint { fill: var(--faint); }
.key { display: inline-flex; gap: 6px; align-items: center; margin-right: 14px; font-size: 13px; color: var(--faint); }
.key i { width: 11px; height: 11px; border-radius: 2px; } .key .reference { background: var(--reference); } .key .current { background: var(--current); } .key .last_day { background: var(--day); }
`;
