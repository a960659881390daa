import type { DriftColumn } from '../../../schemas/types.js';
import type { Markup } from './markup.js';
import { markup } from './markup.js';
import { figure, percentage } from './numbers.js';

/*
 * Drawings as inline SVG, coloured by classes of the page's style sheet. Coordinates are rounded to a tenth: finer than a screen, and the page
 * stays small.
 */

const WIDTH = 360;
const round = (value: number): number => Math.round(value * 10) / 10;

const NOTHING = markup`<p class="faint">nothing to draw</p>`;

/** Shares by bin: the reference's, the window's, and its last day's. */
export function sharePlot(bins: DriftColumn['bins']): Markup {
  if (bins.length === 0) return NOTHING;
  const [height, base] = [120, 104];
  const series = (['reference', 'current', 'last_day'] as const).filter((name) =>
    bins.some((bin) => bin[name] !== null),
  );
  const largest = Math.max(0.01, ...bins.flatMap((bin) => series.map((name) => bin[name] ?? 0)));
  const slot = WIDTH / bins.length;
  const width = (slot * 0.84) / series.length;
  const bars = bins.map((bin, i) => {
    const drawn = series.map((name, at) => {
      const tall = ((bin[name] ?? 0) / largest) * (base - 12);
      const x = slot * (i + 0.08) + width * at;
      return markup`<rect class="${name}" x="${round(x)}" y="${round(base - tall)}" width="${round(width * 0.92)}" height="${round(tall)}"/>`;
    });
    const day = bin.last_day === null ? '' : `, ${percentage(bin.last_day)} on the last day`;
    return markup`<g><title>${bin.label}: ${percentage(bin.reference)} before, ${percentage(bin.current)} now${day}</title>${drawn}</g>`;
  });
  // As many labels as fit side by side, and always the last one, where missing and new values stand.
  const every = Math.ceil((Math.max(...bins.map(({ label }) => label.length)) * 5.4) / slot);
  const last = bins.length - 1;
  const labels = bins.map(({ label }, i) => {
    if (i === last) return markup`<text class="end" x="${WIDTH}" y="${height - 3}">${label}</text>`;
    return i % every === 0 && i + every <= last
      ? markup`<text x="${round(slot * i + 1)}" y="${height - 3}">${label}</text>`
      : markup``;
  });
  return drawing(height, 'shares by bin', [
    markup`<text x="0" y="9">${percentage(largest)}</text>`,
    markup`<line class="axis" x1="0" x2="${WIDTH}" y1="${base}" y2="${base}"/>`,
    ...bars,
    ...labels,
  ]);
}

/** Where the values lie: whiskers from the 5 % to the 95 % quantile, the middle half as a box, the median as a stroke. */
export function rangePlot(column: DriftColumn, probabilities: readonly number[]): Markup {
  const { quantiles, reference_quantiles: before } = column;
  if (quantiles === null || before === null) return markup``;
  const at = (values: readonly number[], probability: number): number =>
    values[probabilities.indexOf(probability)] ?? NaN;
  const shown = [0.05, 0.25, 0.5, 0.75, 0.95];
  const all = [...shown.map((p) => at(before, p)), ...shown.map((p) => at(quantiles, p))];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (!(high > low)) return markup``;
  const scale = (value: number): number => round(8 + ((value - low) / (high - low)) * (WIDTH - 16));
  const row = (values: readonly number[], kind: string, y: number): Markup => {
    const [from, lower, middle, upper, to] = shown.map((p) => scale(at(values, p)));
    return markup`<g><title>5 %: ${figure(at(values, 0.05))}, 25 %: ${figure(at(values, 0.25))}, median: ${figure(at(values, 0.5))}, 75 %: ${figure(at(values, 0.75))}, 95 %: ${figure(at(values, 0.95))}</title><line class="whisker ${kind}" x1="${from ?? 0}" x2="${to ?? 0}" y1="${y}" y2="${y}"/><rect class="${kind}" x="${lower ?? 0}" y="${y - 6}" width="${round(Math.max(1, (upper ?? 0) - (lower ?? 0)))}" height="12"/><line class="median" x1="${middle ?? 0}" x2="${middle ?? 0}" y1="${y - 6}" y2="${y + 6}"/></g>`;
  };
  return drawing(58, 'quantiles', [
    row(before, 'reference', 12),
    row(quantiles, 'current', 32),
    markup`<text x="0" y="55">${figure(low)}</text><text class="end" x="${WIDTH}" y="55">${figure(high)}</text>`,
  ]);
}

export interface PsiDay {
  /** YYYY-MM-DD */
  day: string;
  psi: number | null;
}

/** The index day by day, with the limits of the last day. A day without one has a dot on the axis. */
export function psiPlot(days: readonly PsiDay[], warn: number | null, alert: number | null): Markup {
  if (days.every(({ psi }) => psi === null)) return NOTHING;
  const [height, base] = [86, 70];
  const largest = Math.max(...days.map(({ psi }) => psi ?? 0), (alert ?? 0) * 1.15, 0.01);
  const slot = Math.min(40, WIDTH / days.length);
  const y = (psi: number): number => round(base - (Math.min(psi, largest) / largest) * (base - 6));
  const bars = days.map(({ day, psi }, i) => {
    const x = slot * (i + 0.15);
    if (psi === null)
      return markup`<circle class="faint" cx="${round(x + slot * 0.35)}" cy="${base}" r="2"><title>${day}: none</title></circle>`;
    const level = alert !== null && psi >= alert ? 'drift' : warn !== null && psi >= warn ? 'warn' : 'current';
    return markup`<rect class="${level}" x="${round(x)}" y="${y(psi)}" width="${round(slot * 0.7)}" height="${round(base - y(psi))}"><title>${day}: ${figure(psi)}</title></rect>`;
  });
  const limit = (value: number | null, name: string): Markup =>
    value === null
      ? markup``
      : markup`<line class="limit" x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/><text class="end" x="${WIDTH}" y="${y(value) - 2}">${name} ${figure(value)}</text>`;
  return drawing(height, 'population stability index by day', [
    markup`<line class="axis" x1="0" x2="${WIDTH}" y1="${base}" y2="${base}"/>`,
    limit(warn, 'warn'),
    limit(alert, 'drift'),
    ...bars,
    markup`<text x="0" y="${height - 3}">${days[0]?.day ?? ''}</text>`,
    days.length > 1
      ? markup`<text x="${round(Math.min(slot * days.length, WIDTH))}" class="end" y="${height - 3}">${slot * days.length > 140 ? (days.at(-1)?.day ?? '') : ''}</text>`
      : markup``,
  ]);
}

function drawing(height: number, what: string, parts: readonly Markup[]): Markup {
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${what}">${parts}</svg>`;
}
