import { expect } from 'vitest';
import type { Cli } from './cli.js';

/** One line of Prometheus's text. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What a part serves at the address that `sluice status` says of it. */
export async function scrapePart(cli: Cli, part: string): Promise<Sample[]> {
  const { json } = await cli.run('--json', 'status');
  const { parts } = json as unknown as { parts: { name: string; address: string }[] };
  const address = parts.find(({ name }) => name === part)?.address ?? '';
  expect(address, part).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const response = await fetch(address);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  return samplesOf(await response.text());
}

export function samplesOf(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, of]) => [label as string, of as string]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}

/** The names of ours among them, as the catalogue has them: a histogram's series have endings. */
export function ownNames(samples: readonly Sample[]): string[] {
  const names = samples.map(({ name }) => name.replace(/_seconds_(bucket|sum|count)$/, '_seconds'));
  return [...new Set(names.filter((name) => name.startsWith('sluice_')))];
}

/** A sample with at least these labels. */
export function sample(name: string, labels: Record<string, string>): Sample {
  return expect.objectContaining({ name, labels: expect.objectContaining(labels) as unknown }) as Sample;
}
