import * as z from 'zod';
import { type Operation, ServiceError } from '../protocol/json.ts';
import { expectValidTransformer } from './input-transformer.ts';
import { Page, paged } from './paging.ts';
import { type EventsStore, Target } from './store.ts';

const OfRule = z.looseObject({ Rule: z.string(), EventBusName: z.string().default('default') });
const MOST_TARGETS = 5;

/** The operations on the targets of rules. */
export const targets = (store: EventsStore): Readonly<Record<string, Operation>> => ({
  PutTargets(input) {
    const { Rule: name, EventBusName } = OfRule.parse(input);
    const rule = store.expectRule(store.expectBus(EventBusName), name);
    const added = z.array(Target).min(1).parse(input['Targets']);
    for (const target of added) {
      expectAddress(target);
      expectOneInput(target);
    }
    const others = rule.targets.filter(({ Id }) => !added.some((one) => one.Id === Id));
    if (others.length + added.length > MOST_TARGETS)
      throw new ServiceError('LimitExceededException', `A rule can have ${MOST_TARGETS} targets.`);
    store.put({ ...rule, targets: [...others, ...added] });
    return { FailedEntryCount: 0, FailedEntries: [] };
  },
  RemoveTargets(input) {
    const { Rule: name, EventBusName } = OfRule.parse(input);
    const rule = store.expectRule(store.expectBus(EventBusName), name);
    const ids = z.array(z.string()).min(1).parse(input['Ids']);
    const unknown = ids.filter((id) => !rule.targets.some(({ Id }) => Id === id));
    store.put({ ...rule, targets: rule.targets.filter(({ Id }) => !ids.includes(Id)) });
    return {
      FailedEntryCount: unknown.length,
      FailedEntries: unknown.map((TargetId) => ({
        TargetId,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `Rule ${name} does not have a target with the Id ${TargetId}.`,
      })),
    };
  },
  ListTargetsByRule(input) {
    const asked = OfRule.extend(Page).parse(input);
    const rule = store.expectRule(store.expectBus(asked.EventBusName), asked.Rule);
    const sorted = [...rule.targets].sort((one, other) => (one.Id < other.Id ? -1 : 1));
    const { page, ...next } = paged(sorted, ({ Id }) => Id, asked);
    return { Targets: page, ...next };
  },
});

/** A service of AWS, an account, and a resource in it. */
const ADDRESS = /^arn:aws[\w-]*:[a-z][a-z\d-]*:[a-z\d-]*:\d{12}:.+$/u;

/** @throws ServiceError `ValidationException`: a target and its dead letters are addresses of resources. */
const expectAddress = ({ Id, Arn, DeadLetterConfig }: Target): void => {
  for (const one of [Arn, DeadLetterConfig?.Arn])
    if (one !== undefined && (!ADDRESS.test(one) || one.length > 1600))
      throw new ServiceError(
        'ValidationException',
        `Parameter ${one} is not valid for target ${Id}. Reason: Provided Arn is not in correct format.`,
      );
};

/** @throws ServiceError `ValidationException`: a target takes one input of three, and a valid template. */
const expectOneInput = (target: Target): void => {
  const inputs = [target.Input, target.InputPath, target.InputTransformer].filter((one) => one !== undefined);
  if (inputs.length > 1)
    throw new ServiceError(
      'ValidationException',
      `Only one of Input, InputPath, or InputTransformer must be provided for target ${target.Id}.`,
    );
  if (target.InputTransformer) expectValidTransformer(target.InputTransformer, target.Id);
  if (target.Input === undefined) return;
  try {
    JSON.parse(target.Input);
  } catch {
    throw new ServiceError('ValidationException', `JSON syntax error in input for target ${target.Id}.`);
  }
};
