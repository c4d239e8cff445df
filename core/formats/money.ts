// https://docs.stripe.com/currencies#zero-decimal
// Stripe counts ISK and UGX, which have no smaller unit, in hundredths all the same.

const noDecimals = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const threeDecimals = new Set('bhd jod kwd omr tnd'.split(' '));

/** An amount in the smallest unit of its currency, as payment providers count, in major units. */
export const majorUnits = (
  amount: number | null | undefined,
  currency: string | null | undefined,
): number | undefined => {
  if (amount === null || amount === undefined) return undefined;
  const code = (currency ?? '').toLowerCase();
  const digits = noDecimals.has(code) ? 0 : threeDecimals.has(code) ? 3 : 2;
  return Number((amount / 10 ** digits).toFixed(digits));
};

/** An amount that a shop writes as a number or as text; undefined where it is none. */
export const amountOf = (value: unknown): number | undefined => {
  const amount =
    typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,6})?$/u.test(value.trim()) ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) ? amount : undefined;
};
