import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as z from 'zod';

const DATABASE = 'hub';
export const credentials = { database: DATABASE, user: 'admin', password: 'a password of the run' };

/** A Tryton that was started for the run. */
export interface Tryton {
  readonly port: number;
  /** Calls a method as its own user. Throws what Tryton refuses. */
  call(method: string, ...params: unknown[]): Promise<unknown>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const PROGRAMS = ['/usr/bin/trytond', '/usr/bin/trytond-admin'] as const;
const MODULES = '/usr/lib/python3/dist-packages/trytond/modules';

/** The Debian packages that are missing. */
export const missingPackages = (): string[] => [
  ...(PROGRAMS.every((program) => existsSync(program)) ? [] : ['tryton-server']),
  ...['party', 'country'].flatMap((name) =>
    existsSync(join(MODULES, name)) ? [] : [`tryton-modules-${name}`],
  ),
];

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** Creates the database in a folder; `start` opens it. */
export const createTryton = async (folder: string): Promise<Tryton> => {
  const port = await freePort();
  const config = join(folder, 'trytond.conf');
  const password = join(folder, 'password');
  writeFileSync(
    config,
    `[web]\nlisten = 127.0.0.1:${port}\n[database]\nuri = sqlite://\npath = ${folder}\n[session]\ntimeout = 86400\n`,
  );
  writeFileSync(password, credentials.password);
  writeFileSync(join(folder, `${DATABASE}.sqlite`), '');
  const options = ['-c', config, '-d', DATABASE];
  await promisify(execFile)(
    PROGRAMS[1],
    [...options, '-u', 'ir', 'res', 'country', 'party', '--email', 'admin@example.com'],
    { env: { ...process.env, TRYTONPASSFILE: password } },
  );
  let child: ChildProcess | undefined;
  const { call, isUp } = client(port);
  return {
    ...{ port, call },
    async start() {
      child = spawn(PROGRAMS[0], options, { stdio: 'ignore' });
      while (!(await isUp())) await sleep(100);
    },
    async stop() {
      const running = child;
      child = undefined;
      if (running === undefined) return;
      running.kill();
      await once(running, 'exit');
    },
  };
};

const Answer = z.object({ result: z.unknown().optional(), error: z.unknown().optional() });
const Session = z.tuple([z.number(), z.string()]);

const client = (port: number) => {
  let authorization: string | undefined;
  const post = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/${DATABASE}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify({ id: 1, method, params }),
    });
    const { result, error } = Answer.parse(await response.json());
    if (error !== undefined) throw new Error(`Tryton refuses ${method}: ${JSON.stringify(error)}`);
    return result;
  };
  const logIn = async (): Promise<void> => {
    const { user, password } = credentials;
    const [id, session] = Session.parse(await post('common.db.login', [user, { password }, 'en']));
    authorization = `Session ${Buffer.from(`${user}:${id}:${session}`).toString('base64')}`;
  };
  return {
    async call(method: string, ...params: unknown[]): Promise<unknown> {
      if (authorization === undefined) await logIn();
      return post(method, [...params, {}]);
    },
    isUp: (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/${DATABASE}/`).then(
        () => true,
        () => false,
      ),
  };
};
