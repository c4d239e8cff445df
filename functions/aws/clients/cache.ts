export interface CacheOptions<Value> {
  /** How long a value is used after its load began. */
  readonly ttlMs: number;
  /** The most keys; of more, the oldest is dropped, so that no caller can fill the memory by naming new keys. */
  readonly most: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Values for which it is false are handed out and loaded again; without it every value is stored. */
  readonly isStored?: (value: Value) => boolean;
}

export interface Cache<Value> {
  /** The value of a key. Callers at the same time share one load; a load that fails is not stored. */
  get(key: string): Promise<Value>;
  /** Loads a value again, whatever is stored. */
  refresh(key: string): Promise<Value>;
}

/** Values by key. `undefined` is a value, too: that there is nothing is remembered for as long. */
export const cache = <Value>(
  load: (key: string) => Promise<Value>,
  { ttlMs, most, now, isStored = () => true }: CacheOptions<Value>,
): Cache<Value> => {
  const entries = new Map<string, { readonly until: number; readonly value: Promise<Value> }>();
  const refresh = (key: string): Promise<Value> => {
    const value = load(key);
    const entry = { until: now() + ttlMs, value };
    entries.delete(key);
    for (const oldest of [...entries.keys()].slice(0, Math.max(0, entries.size - most + 1)))
      entries.delete(oldest);
    entries.set(key, entry);
    const drop = (): void => {
      if (entries.get(key) === entry) entries.delete(key);
    };
    value.then((loaded) => {
      if (!isStored(loaded)) drop();
    }, drop);
    return value;
  };
  return {
    refresh,
    get(key) {
      const entry = entries.get(key);
      return entry && entry.until > now() ? entry.value : refresh(key);
    },
  };
};
