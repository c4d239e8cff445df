/** The values of each secret of a webhook route, newest first; several during a rotation. */
export type RouteSecrets = Readonly<Record<string, readonly string[]>>;
