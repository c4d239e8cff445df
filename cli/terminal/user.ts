import { userInfo } from 'node:os';

/** The name under which the hub records who ran a command. */
export const currentUser = (): string => userInfo().username;
