import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStateDir } from './paths.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'sluice-paths-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the state directory', () => {
  it('is made with its parents, for its owner only, and found again', () => {
    const { root, mongo } = createStateDir(join(directory, 'not', 'there', 'yet'));
    expect(statSync(mongo).mode & 0o777).toBe(0o700);
    expect(createStateDir(root).root).toBe(root);
  });

  it('is refused where a file stands in the way', () => {
    writeFileSync(join(directory, 'file'), '');
    expect(() => createStateDir(join(directory, 'file', 'state'))).toThrow(/cannot be written: .*SLUICE_STATE_DIR/);
  });

  it.runIf(process.platform === 'linux')('is refused where nothing can be made, however deep', () => {
    expect(() => createStateDir('/proc/nope')).toThrow(/cannot be written/);
    expect(() => createStateDir('/proc/nope/deeper')).toThrow(/cannot be written/);
  });
});
