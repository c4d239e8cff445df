/** A step as far as it has steps inside it. */
export interface Nesting<Step> {
  readonly branch?: readonly { readonly steps: readonly Step[] }[] | undefined;
  readonly split?: readonly { readonly steps: readonly Step[] }[] | undefined;
}

/** The lists of steps inside a step. */
export const waysOf = <Step extends Nesting<Step>>({ branch = [], split = [] }: Step): (readonly Step[])[] =>
  [...branch, ...split].map(({ steps }) => steps);

/** Every step with those inside it, in the order of the file. */
export const allSteps = <Step extends Nesting<Step>>(steps: readonly Step[]): Step[] =>
  steps.flatMap((step) => [step, ...waysOf(step).flatMap((way) => allSteps(way))]);
