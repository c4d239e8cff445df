/** The region and the account of the runtime. */
export const REGION = 'eu-south-1';
export const ACCOUNT = '123456789012';
