import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const rooms = ['core', 'mappings', 'connectors', 'functions', 'infra', 'console', 'tests'] as const;
type Room = (typeof rooms)[number];

/** The import table of the house: which rooms and which packages each room may use. */
const mayImport: Record<Room, { rooms: readonly Room[]; packages: RegExp }> = {
  core: {
    rooms: ['core'],
    packages:
      /^(?:zod|yaml|liquidjs|fast-xml-parser|libphonenumber-js|postal-mime|node:(?:crypto|net|util|zlib|buffer))$/,
  },
  mappings: { rooms: ['mappings', 'core'], packages: /^(?:zod|node:crypto)$/ },
  connectors: {
    rooms: ['connectors', 'core'],
    packages:
      /^(?:node:(?:crypto|buffer)|zod|@smithy\/types|@aws-sdk\/client-ses|jsforce\/.+|@hubspot\/api-client\/.+)$/,
  },
  functions: {
    rooms: ['functions', 'connectors', 'mappings', 'core'],
    packages: /^(?!aws-cdk-lib|constructs|cdk-nag|vitest)/,
  },
  infra: { rooms: ['infra', 'functions', 'connectors', 'mappings', 'core'], packages: /./ },
  console: { rooms: ['console'], packages: /./ },
  tests: { rooms: [...rooms], packages: /./ },
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly typeOnly: boolean;
}

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

const imports: Import[] = files.flatMap((file) => {
  const source = readFileSync(join(root, file), 'utf8');
  const found = [
    ...source.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gmu),
  ];
  return found.map((match) => ({ file, from: match[2] ?? '', typeOnly: match[1] !== undefined }));
});

const roomOf = (path: string): Room | undefined => rooms.find((room) => path.startsWith(`${room}/`));
const target = ({ file, from }: Import): string => normalize(join(dirname(file), from));

describe('the import table', () => {
  it('is not vacuous', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('lets a room import only the rooms below it', () => {
    const wrong = imports.filter((one) => {
      const room = roomOf(one.file);
      const other = one.from.startsWith('.') ? roomOf(target(one)) : undefined;
      return room !== undefined && other !== undefined && !mayImport[room].rooms.includes(other);
    });
    expect(wrong).toEqual([]);
  });

  it('lets a room use only its packages', () => {
    const wrong = imports.filter((one) => {
      const room = roomOf(one.file);
      return room !== undefined && !one.from.startsWith('.') && !mayImport[room].packages.test(one.from);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps vendors apart: no connector or channel mapping imports a sibling', () => {
    const room =
      /^(?:connectors\/(?:channels|crm|senders)|mappings\/channels)\/(?!index)[^/]+?(?=(?:\.ts)?$)/u;
    /** A vendor's part, such as meta-whatsapp, belongs to the vendor. */
    const vendor = (path: string): string | undefined => {
      const own = room.exec(path)?.[0];
      const whole = own?.slice(0, Math.max(0, own.lastIndexOf('-')));
      return whole && files.includes(`${whole}.ts`) ? whole : own;
    };
    const wrong = imports.filter((one) => {
      const [own, other] = [vendor(one.file), one.from.startsWith('.') ? vendor(target(one)) : undefined];
      return own !== undefined && other !== undefined && own !== other;
    });
    expect(wrong).toEqual([]);
  });

  it('keeps the console to the API: of other rooms it sees types only', () => {
    const wrong = imports.filter(
      (one) =>
        roomOf(one.file) === 'console' &&
        one.from.startsWith('.') &&
        roomOf(target(one)) !== 'console' &&
        !one.typeOnly,
    );
    expect(wrong).toEqual([]);
  });

  it('keeps clocks and chance out of the pure rooms', () => {
    const pure = files.filter(
      (file) => /^(?:core|mappings|connectors)\//u.test(file) && file !== 'core/clock.ts',
    );
    const impure = pure.filter((file) =>
      /\bDate\.now\(\)|new Date\(\)|Math\.random\(\)|randomUUID\(\)/u.test(
        readFileSync(join(root, file), 'utf8'),
      ),
    );
    expect(impure).toEqual([]);
  });

  it('has no room for leftovers', () => {
    const odd = files.filter((file) => /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.ts)|V2\b/u.test(file));
    expect(odd).toEqual([]);
  });
});
