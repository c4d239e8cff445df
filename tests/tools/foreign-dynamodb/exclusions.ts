/** Tests that cannot run on a foreign DynamoDB, with the reason. */
export const exclusions: Readonly<Record<string, string>> = {};
