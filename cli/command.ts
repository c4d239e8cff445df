/** What the module of each `hub` command exports. */
export interface CommandModule {
  /** Printed by `hub NAME --help` and where the arguments are wrong. */
  readonly usage: string;
  /** Runs the command with the arguments after its name and resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** The end of every usage text of a command that calls the API of a hub. */
export const CONNECTION_HELP =
  'HUB_URL and HUB_KEY select the hub: the address and a key of its API. `npm start` prints both.';
