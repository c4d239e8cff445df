const PREFIX = 'LOCAL';

/** The access key of a function. It holds the function's name, so that the runtime knows who signed a request. */
export const accessKeyOf = (functionName: string): string =>
  `${PREFIX}${Buffer.from(functionName).toString('hex').toUpperCase()}`;

/** The secret of every access key that the runtime issues. */
export const LOCAL_SECRET = 'local';

/** The secret of an access key; undefined for one that the runtime has not issued. */
export const secretOfKey = (accessKey: string): string | undefined =>
  functionOfKey(accessKey) === undefined ? undefined : LOCAL_SECRET;

/** The function that an access key belongs to; undefined for the key of a person or of another program. */
export const functionOfKey = (accessKey: string): string | undefined =>
  accessKey.startsWith(PREFIX) ? Buffer.from(accessKey.slice(PREFIX.length), 'hex').toString() : undefined;
