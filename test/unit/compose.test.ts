import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectPath } from '../../platform/project.js';

// There is no container engine where this is developed: what can be known without one is checked here.
interface Service {
  image?: string;
  build?: { context: string; target: string };
  command?: string[];
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
}
const text = readFileSync(projectPath('docker-compose.temporal.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, null> };
const services = Object.entries(compose.services);
const dockerfile = readFileSync(projectPath('Dockerfile'), 'utf8');
const documented = new Set(
  readFileSync(projectPath('.env.example'), 'utf8')
    .match(/^#?[A-Z][A-Z0-9_]+(?==)/gm)
    ?.map((name) => name.replace('#', '')),
);

/** The stages of the Dockerfile, each with its base image or stage. */
const stages = new Map(
  [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)].map(([, base, name]) => [name, base] as [string, string]),
);
const pinned = /:v?\d+\.\d+\.?\d*[a-z0-9.-]*$/;

describe('docker-compose.temporal.yml', () => {
  it('has the parts that the system consists of', () => {
    const names = [
      'temporal',
      'temporal-postgres',
      'temporal-ui',
      'mongo',
      's3',
      'mlflow',
      'mlflow-postgres',
      'release-worker',
      'training-worker',
      'data-worker',
      'scorer',
    ];
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(names));
  });

  it.each(services)(
    '%s: an image of a fixed version, or one of our own from a stage of the Dockerfile',
    (_name, service) => {
      expect(service.image).toMatch(pinned);
      if (service.image?.startsWith('sluice-') === true) expect(stages.has(service.build?.target ?? '')).toBe(true);
      else expect(service.build).toBeUndefined();
    },
  );

  it.each(services)('%s: ports of this machine only', (_name, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)('%s: waits only for what exists and can become healthy', (_name, service) => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const awaited = compose.services[other];
      expect(awaited).toBeDefined();
      if (condition === 'service_healthy') expect(awaited?.healthcheck?.test.length).toBeGreaterThan(1);
      else expect([condition, awaited?.restart]).toEqual(['service_completed_successfully', undefined]);
    }
    if (service.ports !== undefined) expect(service.healthcheck).toBeDefined();
  });

  it.each(services)('%s: mounts declared volumes only', (_name, { volumes = [] }) => {
    for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
  });

  it.each(services.filter(([, { command }]) => command?.[0] === 'node'))(
    '%s: runs an entry point that is compiled from a source',
    (_name, { command }) => {
      const entry = command?.at(-1) ?? '';
      expect(entry).toMatch(/^dist\/.*\.js$/);
      expect(existsSync(projectPath(entry.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true);
    },
  );

  it('documents every variable, and has no default for a secret', () => {
    const used = [...text.matchAll(/(?<!\$)\$\{([A-Z0-9_]+)(:[?-][^}]*)?\}/g)];
    expect(used.length).toBeGreaterThan(10);
    for (const [whole, name = '', rest = ''] of used) {
      expect(documented, whole).toContain(name);
      if (/PASSWORD|SECRET|KEY|TOKEN/.test(name)) expect(rest, whole).toMatch(/^:\?/);
    }
    for (const [name, service] of services) {
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        if (/PASSWORD|PWD|SECRET|TOKEN|ACCESS_KEY/.test(variable))
          expect(value, `${name} ${variable}`).toMatch(/^\$\{[A-Z0-9_]+:\?/);
      }
    }
  });

  it('gives the signing key to those who sign and the admin token to the scorer', () => {
    const having = (test: (service: Service) => boolean): string[] =>
      services.filter(([, service]) => test(service)).map(([name]) => name);
    expect(having(({ volumes }) => volumes?.some((one) => one.startsWith('signing:')) === true)).toEqual([
      'prepare',
      'release-worker',
      'data-worker',
    ]);
    expect(having(({ environment }) => environment?.['SLUICE_ADMIN_TOKEN'] !== undefined)).toEqual(['scorer']);
  });
});

describe('Dockerfile', () => {
  it('builds on fixed versions, the Node that package.json asks for, and runs as nobody special', () => {
    for (const [name, base] of stages) expect(stages.has(base) || pinned.test(base), `${name} from ${base}`).toBe(true);
    for (const stage of dockerfile.split(/^FROM /m).slice(1)) {
      const name = / AS (\S+)/.exec(stage)?.[1];
      if (name === 'build' || name === 'python') continue;
      expect([...stage.matchAll(/^USER (\S+)$/gm)].at(-1)?.[1], name).toBe('node');
    }
  });

  it('copies what exists', () => {
    for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(' ')) expect(existsSync(projectPath(source)), source).toBe(true);
    }
  });
});

describe('.env.example', () => {
  it.each(['platform/config.ts', 'scoring/settings.ts'])('explains every setting of %s', (file) => {
    const names = [...readFileSync(projectPath(file), 'utf8').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !documented.has(name ?? ''))).toEqual([]);
  });
});
