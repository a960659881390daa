import type { Violation } from '../../platform/validate.js';

/** Valid JSON that cannot be taken as what it should be, with the path of each offending field. */
export class RefusedInput extends Error {
  override readonly name = 'InvalidInput';
  constructor(readonly violations: Violation[]) {
    super(
      'the request is refused: ' +
        violations
          .slice(0, 3)
          .map(({ path, message }) => (path === '' ? `it ${message}` : `${path} ${message}`))
          .join('; '),
    );
  }
}
