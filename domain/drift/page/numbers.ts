/** Figures as people read them; a dash where there is none. */
export const figure = (value: number | null | undefined): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(1);
  return String(Number(value.toPrecision(size >= 1000 ? 5 : 3)));
};

export const percentage = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(share * 100).toFixed(share !== 0 && share < 0.1 ? 2 : 1)} %`;

/** A probability: three digits, or its power of ten. */
export const probability = (p: number | null | undefined): string => {
  if (p === null || p === undefined) return '–';
  if (p === 0) return '< 1e-300';
  return p >= 0.001 ? p.toFixed(3) : p.toExponential(0);
};

/** An ISO time to the minute. */
export const minute = (iso: string | null): string =>
  iso === null ? '–' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;

export const count = (value: number): string => value.toLocaleString('en-US');
