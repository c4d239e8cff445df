import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubCommand, HubReport } from './hub-process.ts';
import { openTraffic, seededRandom, type Traffic } from './traffic.ts';

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Webhooks per second while the hub answers. */
  readonly rate: number;
  readonly people: number;
  /** The longest time between the start of the traffic and a kill. */
  readonly longestLifeMs: number;
  /** Whether messages are duplicated and reordered, and requests of the functions meet faults of AWS. */
  readonly hasFaults: boolean;
  /** Called with a line after each kill. */
  readonly report: (line: string) => void;
}

export interface KillResult {
  /** How many deliveries were acknowledged, refused, repeated and unanswered, and what the hub stored. */
  readonly counts: Readonly<Record<string, number>>;
  /** A sentence for each broken invariant. */
  readonly broken: readonly string[];
}

const PUBLIC_URL = 'https://acme.example';
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Clock offsets of the runs that process what is left: past every visibility timeout, wait and goal. */
const DRAIN_OFFSETS = [7 * MINUTE, DAY, 4 * DAY];
/** The share of kills that happen while the hub opens. */
const KILLED_WHILE_OPENING = 0.1;
const OPENING_MS = 2500;

/** A hub in a process of its own. */
interface HubProcess {
  readonly child: ChildProcess;
  /** The answer to the command `open`. */
  readonly opened: Promise<HubReport>;
  ask(command: HubCommand): Promise<HubReport>;
}

const startHub = (command: Extract<HubCommand, { command: 'open' }>): HubProcess => {
  const child = fork(new URL('./hub-process.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ask = async (one: HubCommand): Promise<HubReport> => {
    child.send(one);
    const [answer] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [{ report: 'failed', reason: 'the process has ended' }]),
    ]);
    const report = HubReport.parse(answer);
    if (report.report === 'failed') throw new Error(`The hub failed to ${one.command}: ${report.reason}`);
    return report;
  };
  return { child, opened: ask(command), ask };
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends webhooks for some time, then kills the hub while requests are open. */
const sendThenKill = async (
  { child, opened }: HubProcess,
  traffic: Traffic,
  { lifeMs, rate }: { readonly lifeMs: number; readonly rate: number },
): Promise<void> => {
  const report = await opened;
  const url = report.report === 'opened' ? report.url : '';
  const end = performance.now() + lifeMs;
  const open = new Set<Promise<void>>();
  while (performance.now() < end) {
    const request = traffic.send(url).finally(() => open.delete(request));
    open.add(request);
    await sleep(1000 / rate);
  }
  await kill(child);
  await Promise.all(open);
};

/** Kills a hub under traffic again and again, lets it process what is left, and checks its invariants. */
export const runKills = async (options: KillOptions): Promise<KillResult> => {
  const { kills, seed, rate, people, longestLifeMs, report } = options;
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-crash-'));
  const traffic = openTraffic({ seed, people, publicUrl: PUBLIC_URL }, random);
  let current: HubProcess | undefined;
  const start = (clockOffsetMs: number, isFirst = false): HubProcess => {
    current = startHub({
      command: 'open',
      ...{ state: join(folder, 'state.sqlite'), publicUrl: PUBLIC_URL, clockOffsetMs },
      // What is left is processed on a good day: a message that fails would wait for minutes of real time.
      hasFaults: options.hasFaults && clockOffsetMs === 0,
      ...{ secrets: traffic.secrets, granted: isFirst ? [...traffic.granted] : [] },
    });
    return current;
  };
  try {
    for (let number = 1; number <= kills; number++) {
      const isOpening = number > 1 && random() < KILLED_WHILE_OPENING;
      const lifeMs = isOpening ? random() * OPENING_MS : OPENING_MS / 5 + random() * longestLifeMs;
      const hub = start(0, number === 1);
      if (isOpening) {
        hub.opened.catch(() => {});
        await sleep(lifeMs);
        await kill(hub.child);
      } else await sendThenKill(hub, traffic, { lifeMs, rate });
      const acknowledged = String(traffic.answers().acknowledged.length).padStart(6);
      report(
        `${String(number).padStart(4)}  killed ${isOpening ? 'while it opened, ' : ''}after ${(lifeMs / 1000).toFixed(2)} s  ${acknowledged} acknowledged so far`,
      );
    }
    for (const offset of DRAIN_OFFSETS.slice(0, -1)) {
      const hub = start(offset);
      await hub.opened;
      await hub.ask({ command: 'drain' });
      await kill(hub.child);
    }
    const last = start(DRAIN_OFFSETS.at(-1) ?? 0);
    await last.opened;
    await last.ask({ command: 'drain' });
    const { acknowledged, refused, unanswered } = traffic.answers();
    const answers = {
      acknowledged: [...acknowledged],
      refused: [...refused],
      unanswered: [...unanswered],
    };
    const checked = await last.ask({ command: 'check', answers });
    return {
      counts: {
        ...{ acknowledged: acknowledged.length, refused: refused.length },
        ...{ repeated: traffic.repeated(), unanswered: unanswered.length },
        ...(checked.report === 'checked' && checked.counts),
      },
      broken: [
        ...traffic.faults,
        ...(checked.report === 'checked' ? checked.broken : ['The hub checked nothing.']),
      ],
    };
  } finally {
    if (current) await kill(current.child);
    rmSync(folder, { recursive: true, force: true });
  }
};
