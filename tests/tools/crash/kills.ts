import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Order, Report } from './hub-process.ts';
import { providers, type Webhook } from './webhooks.ts';

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Webhooks per second while the hub answers. */
  readonly rate: number;
  readonly people: number;
  /** The longest that a hub lives before it is killed, in milliseconds after it has answered. */
  readonly longestLife: number;
  readonly tell: (line: string) => void;
}

export interface KillOutcome {
  readonly acknowledged: number;
  readonly refused: number;
  readonly repeated: number;
  readonly unanswered: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly broken: readonly string[];
}

const publicUrl = 'https://acme.example';
const MINUTE = 60_000;
const DAY = 86_400_000;
/** By how much the clock has been put forward when what is left is drained: past every visibility timeout, wait and goal. */
const DRAINS = [7 * MINUTE, DAY, 4 * DAY];
/** A hub is sometimes killed before it has answered. */
const KILLED_EARLY = 0.1;
const EARLIEST_MS = 2500;
const FORGED = 0.05;
const REPEATED = 0.1;
/** A provider that got no answer mostly sends again. */
const GIVEN_UP = 0.2;

/** A linear congruential generator: the same seed kills at the same moments. */
export const dice = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

interface Post {
  readonly text: string;
  readonly identifier: string;
  readonly webhook: Webhook;
  readonly forged: boolean;
}

/** Messages of a few people through three providers, each with a text of its own. */
const load = ({ seed, people }: KillOptions, random: () => number) => {
  const making = providers(publicUrl);
  let serial = 0;
  const next = (): Post => {
    const number = serial++;
    const text = `message ${number} of run ${seed}`;
    const person = 1000 + Math.floor(random() * people);
    const from = `+1415555${person}`;
    const [id, at] = [`${seed}-${number}`, Date.now()];
    const forged = random() < FORGED;
    const [kind, user] = [Math.floor(random() * 4), `US.${person}`];
    const made: { webhook: Webhook; identifier: string } =
      kind === 0
        ? { webhook: making.sms({ id, from, text }), identifier: `phone:${from}` }
        : kind === 1
          ? { webhook: making.whatsapp({ id, from, user, text, at }), identifier: `whatsapp-user:${user}` }
          : kind === 2
            ? { webhook: making.whatsapp({ id, user, text, at }), identifier: `whatsapp-user:${user}` }
            : {
                webhook: making.mail({ id, from: `person${person}@example.org`, text, at }),
                identifier: `email:person${person}@example.org`,
              };
    return { ...made, text, forged, webhook: forged ? making.forged(made.webhook) : made.webhook };
  };
  const granted = Array.from({ length: people / 2 }, (_, at) => `person${1000 + at}@example.org`);
  return { next, secrets: making.secrets, granted };
};

/** One life of the hub: a process, and what it is asked. */
const born = (order: Extract<Order, { order: 'open' }>) => {
  const child = fork(new URL('./hub-process.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ask = async (one: Order): Promise<Report> => {
    child.send(one);
    const [answer] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [{ report: 'failed', reason: 'the process has ended' }]),
    ]);
    const report = Report.parse(answer);
    if (report.report === 'failed') throw new Error(`The hub could not go on: ${report.reason}`);
    return report;
  };
  return { child, opened: ask(order), ask };
};

const killed = async (child: ChildProcess): Promise<void> => {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
};

/** Puts webhooks on a hub, kills it again and again, lets it drain, and checks every promise it has made. */
export const killAndCheck = async (options: KillOptions): Promise<KillOutcome> => {
  const { kills, seed, rate, longestLife, tell } = options;
  const random = dice(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-crash-'));
  const state = join(folder, 'state.sqlite');
  const { next, secrets, granted } = load(options, random);
  const acknowledged = new Map<string, string>();
  const refused = new Set<string>();
  const strange: string[] = [];
  const again: Post[] = [];
  const unanswered = new Set<string>();
  let repeated = 0;

  const send = async (url: string, post: Post): Promise<void> => {
    const { provider, headers, body } = post.webhook;
    const status = await fetch(`${url}/webhooks/${provider}`, { method: 'POST', headers, body }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status >= 200 && status < 300) {
      if (post.forged) strange.push(`forged "${post.text}" was answered with ${status}`);
      if (acknowledged.has(post.text)) repeated++;
      acknowledged.set(post.text, post.identifier);
      unanswered.delete(post.text);
      if (random() < REPEATED) again.push(post);
    } else if (status === 401) {
      if (!post.forged) strange.push(`"${post.text}" was refused`);
      refused.add(post.text);
      unanswered.delete(post.text);
    } else {
      if (!acknowledged.has(post.text)) unanswered.add(post.text);
      if (random() >= GIVEN_UP) again.push(post);
    }
  };
  const opening = (ahead: number, first: boolean): Extract<Order, { order: 'open' }> => ({
    order: 'open',
    ...{ state, publicUrl, ahead, secrets, granted: first ? granted : [] },
  });

  let current: ChildProcess | undefined;
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const early = kill > 1 && random() < KILLED_EARLY;
      const life = early ? random() * EARLIEST_MS : EARLIEST_MS / 5 + random() * longestLife;
      const { child, opened } = born(opening(0, kill === 1));
      current = child;
      if (early) {
        opened.catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, life));
      } else {
        const report = await opened;
        const url = report.report === 'open' ? report.url : '';
        const end = performance.now() + life;
        const open = new Set<Promise<void>>();
        while (performance.now() < end) {
          const posted = send(url, again.shift() ?? next()).finally(() => open.delete(posted));
          open.add(posted);
          await new Promise((resolve) => setTimeout(resolve, 1000 / rate));
        }
        await killed(child);
        await Promise.all(open);
      }
      if (child.exitCode === null && child.signalCode === null) await killed(child);
      tell(
        `${String(kill).padStart(4)}  killed ${early ? 'while it opened, ' : ''}after ${(life / 1000).toFixed(2)} s  ${String(acknowledged.size).padStart(6)} acknowledged so far`,
      );
    }
    for (const ahead of DRAINS.slice(0, -1)) {
      const { child, opened, ask } = born(opening(ahead, false));
      current = child;
      await opened;
      await ask({ order: 'rest' });
      await killed(child);
    }
    const { child, opened, ask } = born(opening(DRAINS.at(-1) ?? 0, false));
    current = child;
    await opened;
    await ask({ order: 'rest' });
    const told = {
      acknowledged: [...acknowledged].map(([text, identifier]) => ({ text, identifier })),
      refused: [...refused],
      unanswered: [...unanswered],
    };
    const checked = await ask({ order: 'check', told });
    return {
      ...{ acknowledged: acknowledged.size, refused: refused.size, repeated, unanswered: unanswered.size },
      counts: checked.report === 'checked' ? checked.counts : {},
      broken: [...strange, ...(checked.report === 'checked' ? checked.broken : ['nothing was checked'])],
    };
  } finally {
    if (current && current.exitCode === null && current.signalCode === null) await killed(current);
    rmSync(folder, { recursive: true, force: true });
  }
};
