import type { DriftColumn, DriftReport } from '../../../schemas/types.js';
import { Markup, markup } from './markup.js';
import { count, figure, minute, percentage, probability } from './numbers.js';
import { psiPlot, rangePlot, sharePlot, type PsiDay } from './plots.js';
import { STYLE } from './style.js';

/** What an earlier day's report said of each feature; `score` is the prediction. */
export interface EarlierDay {
  /** the report's */
  timestamp: string;
  psi: Readonly<Record<string, number | null>>;
}

/**
 * A report as one self-contained page: no script, nothing loaded from elsewhere, every text from outside escaped.
 * @param earlier the days before, in any order; they draw the index day by day
 */
export function renderDriftPage(report: DriftReport, earlier: readonly EarlierDay[] = []): string {
  const columns = [...report.features, report.prediction];
  const history = historyOf(report, earlier);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drift of ${report.model}, ${minute(report.timestamp)}: ${report.verdict}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${head(report)}
<h2>Features</h2>
<p>${key('reference', 'training data')}${key('current', 'this window')}${key('last_day', 'its last day')}</p>
${summary(columns)}
<h2>Predictions, labels, alerts</h2>
${checks(report)}
<h2>Distributions</h2>
<div class="cards">${columns.map((column) => card(column, report.quantile_probabilities, history(column.name)))}</div>
</body>
</html>
`;
  return page.text;
}

function head(report: DriftReport): Markup {
  const { window, reference } = report;
  return markup`<h1>Drift of ${report.model} ${badge(report.verdict)}</h1>
<p class="faint">as of ${minute(report.timestamp)} · window ${minute(window.from)} to ${minute(window.to)}, ${count(window.rows)} rows, ${count(window.last_day_rows)} of them on the last day</p>
<p class="faint">model version ${report.model_version} in bundle ${report.bundle_version} · training data as of ${minute(reference.as_of)}, ${count(reference.rows)} rows</p>
<p><strong>Action: ${report.action}</strong> · ${report.action_why}</p>
${reasons(report.why)}`;
}

function summary(columns: readonly DriftColumn[]): Markup {
  const rows = columns.map((column) => {
    const [whole, day] = column.scopes;
    return markup`<tr><td>${column.name}</td><td class="text">${badge(column.verdict)}</td><td>${figure(whole?.psi)}</td><td>${figure(day?.psi)}</td><td>${figure(whole?.effect)}</td><td>${probability(whole?.p_adjusted)}</td><td>${figure(day?.effect)}</td><td>${probability(day?.p_adjusted)}</td><td>${figure(whole?.js)}</td><td>${figure(whole?.kl)}</td><td>${figure(whole?.wasserstein)}</td><td>${percentage(column.missing_fraction)}</td><td>${percentage(column.reference_missing_fraction)}</td></tr>`;
  });
  return markup`<div class="scroll"><table><thead><tr><th>feature</th><th class="text">verdict</th><th>PSI</th><th>PSI, last day</th><th>effect</th><th>adjusted p</th><th>effect, last day</th><th>adjusted p</th><th>JS</th><th>KL</th><th>Wasserstein</th><th>missing</th><th>before</th></tr></thead><tbody>${rows}</tbody></table></div>
<p class="faint">effect: Kolmogorov-Smirnov distance of numbers, total variation of categories; p after false-discovery control over all tests of the day</p>`;
}

function checks(report: DriftReport): Markup {
  const { target, alert_rate, rank_stability, freshness, performance } = report;
  const row = (
    name: string,
    part: { verdict: DriftColumn['verdict']; why: readonly string[] },
    now: string,
    before: string,
  ): Markup =>
    markup`<tr><td>${name}</td><td class="text">${badge(part.verdict)}</td><td>${now}</td><td>${before}</td><td class="text">${part.why.join('; ')}</td></tr>`;
  const metrics = performance.metrics.map(({ name, value, low, high, reference }) =>
    row(
      name,
      { verdict: performance.verdict, why: [] },
      `${figure(value)} (${figure(low)} to ${figure(high)})`,
      figure(reference),
    ),
  );
  const known = report.known_frauds?.scopes.map(
    ({ days, n, caught }) => `${count(caught)} of ${count(n)} were alerts (last ${days} days)`,
  );
  const labelled =
    performance.rows === 0
      ? 'none'
      : `${count(performance.rows)} rows, ${count(performance.frauds)} frauds, ${minute(performance.from)} to ${minute(performance.to)}`;
  return markup`<div class="scroll"><table><thead><tr><th>what</th><th class="text">verdict</th><th>now</th><th>before</th><th class="text">why</th></tr></thead><tbody>
${row('alert rate', alert_rate, percentage(alert_rate.rate), percentage(alert_rate.reference))}
${row('fraud rate of matured labels', target, percentage(target.rate), percentage(target.reference))}
${row("segments' order by score", rank_stability, `${figure(rank_stability.spearman)} over ${rank_stability.segments} segments`, '')}
${row('newest row', freshness, minute(freshness.newest), '')}
${report.known_frauds === undefined ? markup`` : row('frauds known already', report.known_frauds, known?.join('; ') ?? '', `recall ${percentage(report.known_frauds.scopes[0]?.reference_recall)}`)}
${row('matured labels', performance, labelled, '')}
${metrics}
</tbody></table></div>`;
}

function card(column: DriftColumn, probabilities: readonly number[], days: readonly PsiDay[]): Markup {
  const [whole] = column.scopes;
  return markup`<section class="card"><header><h3>${column.name}</h3>${badge(column.verdict)}</header>
${reasons(column.why)}
<h4>shares by bin</h4>${sharePlot(column.bins)}
${column.quantiles === null ? markup`` : markup`<h4>5 %, 25 %, median, 75 %, 95 %</h4>${rangePlot(column, probabilities)}`}
<h4>PSI by day</h4>${psiPlot(days, whole?.psi_warn ?? null, whole?.psi_alert ?? null)}</section>`;
}

/** The index of a column on the days before and on this one, oldest first. */
function historyOf(report: DriftReport, earlier: readonly EarlierDay[]): (name: string) => PsiDay[] {
  const today: EarlierDay = {
    timestamp: report.timestamp,
    psi: { ...report.psi, [report.prediction.name]: report.prediction.scopes[0]?.psi ?? null },
  };
  const days = [...earlier.filter(({ timestamp }) => timestamp < report.timestamp), today].sort((a, b) =>
    a.timestamp < b.timestamp ? -1 : 1,
  );
  return (name) => days.map(({ timestamp, psi }) => ({ day: timestamp.slice(0, 10), psi: psi[name] ?? null }));
}

function reasons(why: readonly string[]): Markup {
  return why.length === 0 ? markup`` : markup`<ul>${why.map((text) => markup`<li>${text}</li>`)}</ul>`;
}

function badge(verdict: DriftReport['verdict'] | DriftColumn['verdict']): Markup {
  return markup`<span class="badge ${verdict}">${verdict}</span>`;
}

function key(kind: 'reference' | 'current' | 'last_day', text: string): Markup {
  return markup`<span class="key"><i class="${kind}"></i>${text}</span>`;
}
