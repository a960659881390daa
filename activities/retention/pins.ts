import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { bundleKey } from '../../stores/keys.js';
import type { Pins } from '../../stores/retention/pins.js';
import type { PinActivities } from './contract.js';

const VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function createPinActivities({ store, pins }: { store: Pick<ObjectStore, 'head'>; pins: Pins }): PinActivities {
  return {
    async requireBundle({ model, version }) {
      if (!VERSION.test(version))
        throw new SluiceError('InvalidInput', `/version is ${JSON.stringify(version)}, which is no bundle's version`);
      if ((await store.head(bundleKey(model, version, MANIFEST_FILE))) === null)
        throw new SluiceError(
          'NotFound',
          `no bundle ${version} of ${model}: \`sluice artifacts list\` shows those there are`,
        );
    },
    async requirePin({ model, version }) {
      if (!(await pins.of(model)).some((pin) => pin.version === version))
        throw new SluiceError('NotFound', `${version} of ${model} is not pinned`);
    },
    putPin: (pin) => pins.put(pin),
    async deletePin({ model, version }) {
      await pins.remove(model, version);
    },
  };
}
