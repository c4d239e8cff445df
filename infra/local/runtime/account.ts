/** The region and the account that the runtime plays. */
export const REGION = 'eu-south-1';
export const ACCOUNT = '123456789012';
