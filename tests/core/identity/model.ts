/**
 * FORMATS "How an interaction finds its customer" once more, as plainly as it can be written: arrays, no folding, every
 * question answered by looking at everything. What the product does is compared with it.
 */
export interface Act {
  readonly id: string;
  readonly identifiers: readonly string[];
  readonly at: number;
  readonly text?: string | undefined;
}

interface Part {
  readonly id: string;
  identifiers: string[];
  acts: Act[];
  /** Acts that answer about SMS, whoever's timeline they stand on. */
  answers: Act[];
  firstSeen: number;
  into: { part: string; merge: number } | undefined;
  apart: Set<string>;
}

const priority: Record<string, number> = { 'user-id': 1, email: 2, phone: 3, line: 4 };
const limit: Record<string, number> = { 'user-id': 1, email: 2, phone: 2, line: 2 };
const typeOf = (identifier: string): string => identifier.split(':')[0] ?? '';

export class Model {
  readonly parts: Part[] = [];
  readonly pairs = new Set<string>();
  waiting = 0;
  #merges = 0;
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  top(part: Part): Part {
    const into = this.parts.find(({ id }) => id === part.into?.part);
    return into === undefined ? part : this.top(into);
  }

  whole(top: Part): Part[] {
    return this.parts.filter((one) => this.top(one) === top);
  }

  holder(identifier: string): Part | undefined {
    return this.parts.find(({ identifiers }) => identifiers.includes(identifier));
  }

  give(act: Act): void {
    const left = [...act.identifiers].sort(
      (one, other) => (priority[typeOf(one)] ?? 0) - (priority[typeOf(other)] ?? 0),
    );
    while (left.length > 0) {
      const holders = left.flatMap((one) => this.holder(one) ?? []);
      const tops = [...new Set(holders.map((one) => this.top(one)))];
      const free = left.filter((one) => this.holder(one) === undefined);
      const [strongest] = holders;
      if (strongest && this.#conflict(tops)) {
        this.#put(strongest, act, []);
        return;
      }
      if (this.#room(tops, free)) {
        if (tops.length > 1) this.#merge(tops);
        this.#put(strongest ?? this.#fresh(act.at), act, free);
        return;
      }
      left.pop();
    }
    this.waiting++;
  }

  mergeByHand(keep: string, other: string): void {
    const [one, two] = [this.holder(keep), this.holder(other)];
    if (!one || !two || this.top(one) === this.top(two)) return;
    const [top, loser] = [this.top(one), this.top(two)];
    this.#settle([top, loser]);
    loser.into = { part: top.id, merge: ++this.#merges };
  }

  /** False when there was nothing to undo. */
  unmerge(identifier: string): boolean {
    const holder = this.holder(identifier);
    const members = holder ? this.whole(this.top(holder)) : [];
    const newest = Math.max(0, ...members.map(({ into }) => into?.merge ?? 0));
    const parted = members.filter(({ into }) => into?.merge === newest);
    const survivor = this.parts.find(({ id }) => id === parted[0]?.into?.part);
    if (survivor === undefined) return false;
    for (const part of parted) part.into = undefined;
    for (const one of [survivor, ...parted])
      for (const other of [survivor, ...parted]) if (one !== other) one.apart.add(other.id);
    return true;
  }

  /** Of each part the last answer, of a tie the denial; of all parts the stricter. */
  consent(top: Part): string {
    const answers = this.whole(top).map(({ answers: said }) => {
      const last = Math.max(...said.map(({ at }) => at));
      return said.filter(({ at }) => at === last).some(({ text }) => text === 'STOP')
        ? 'denied'
        : said.length > 0
          ? 'granted'
          : 'unknown';
    });
    return answers.find((one) => one === 'denied') ?? answers.find((one) => one === 'granted') ?? 'unknown';
  }

  /** Whoever is merged is no question any more. */
  #settle(tops: readonly Part[]): void {
    for (const one of tops)
      for (const other of tops.filter((top) => top !== one))
        for (const left of this.whole(one))
          for (const right of this.whole(other)) this.pairs.delete(pair(left, right));
  }

  #fresh(at: number): Part {
    const part: Part = {
      id: this.#newId(),
      identifiers: [],
      acts: [],
      answers: [],
      firstSeen: at,
      into: undefined,
      apart: new Set(),
    };
    this.parts.push(part);
    return part;
  }

  #put(part: Part, act: Act, learned: readonly string[]): void {
    part.identifiers.push(...learned);
    part.acts.push(act);
    part.firstSeen = Math.min(part.firstSeen, act.at);
    if (act.text !== 'START' && act.text !== 'STOP') return;
    const numbers = act.identifiers.filter((one) => typeOf(one) === 'phone').map((one) => this.holder(one));
    const carrier = numbers.find((one) => one !== undefined && this.top(one) === this.top(part));
    (carrier ?? part).answers.push(act);
  }

  #conflict(tops: readonly Part[]): boolean {
    let found = false;
    for (const [position, one] of tops.entries())
      for (const other of tops.slice(position + 1)) {
        const [left, right] = [this.whole(one), this.whole(other)];
        const both = [left, right].every((side) =>
          side.some(({ identifiers }) => identifiers.some((id) => typeOf(id) === 'user-id')),
        );
        const parted = left.some(({ apart }) => right.some(({ id }) => apart.has(id)));
        if (!both && !parted) continue;
        const asked = left.some((mine) => right.some((theirs) => this.pairs.has(pair(mine, theirs))));
        if (!asked) this.pairs.add(pair(one, other));
        found = true;
      }
    return found;
  }

  #room(tops: readonly Part[], free: readonly string[]): boolean {
    return Object.keys(limit).every((type) => {
      const of = (identifiers: readonly string[]): number =>
        identifiers.filter((one) => typeOf(one) === type).length;
      const held = tops.map((top) => of(this.whole(top).flatMap(({ identifiers }) => identifiers)));
      const all = held.reduce((sum, count) => sum + count, of(free));
      return all <= Math.max(limit[type] ?? 0, ...held);
    });
  }

  #merge(tops: readonly Part[]): void {
    const seen = (top: Part): number => Math.min(...this.whole(top).map(({ firstSeen }) => firstSeen));
    const [survivor, ...others] = [...tops].sort(
      (one, other) => seen(one) - seen(other) || (one.id < other.id ? -1 : 1),
    );
    const merge = ++this.#merges;
    this.#settle(tops);
    for (const other of others) other.into = { part: survivor?.id ?? '', merge };
  }
}

const pair = (one: Part, other: Part): string => [one.id, other.id].sort().join(' ');
