import type { DatabaseSync } from 'node:sqlite';
import type { FrontRequest } from '../api-gateway/http-api.ts';
import type { RequestType } from '../cloudformation/custom-resources.ts';
import { deploy, deployContext, outputsOf } from '../cloudformation/deploy.ts';
import { cloudformation } from '../cloudformation/index.ts';
import type { Created } from '../cloudformation/template.ts';
import { sentenceOf } from '../iam/refusal.ts';
import type { SentMessages } from '../inbox/sent-messages.ts';
import type { LambdaFunction } from '../lambda/function.ts';
import type { AwsRequest, AwsResponse, Deliver } from '../protocol/service.ts';
import type { Ses } from '../ses/index.ts';
import { ACCOUNT, REGION } from './account.ts';
import type { CloudOptions } from './cloud-options.ts';
import { connectEventSource } from './event-sources.ts';
import { frontDoor } from './front.ts';
import { openServices } from './open-services.ts';

export type { CloudOptions } from './cloud-options.ts';

/** A running deployed template. */
export interface Cloud {
  readonly db: DatabaseSync;
  readonly sentMessages: SentMessages;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Requests so far by `caller service operation`; the caller is a function's name, or `-`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly created: ReadonlyMap<string, Created>;
  aws(request: AwsRequest): Promise<AwsResponse>;
  /** Delivers for an AWS service that the runtime does not have, such as an alarm to its topic. */
  deliver: Deliver;
  /** Receives an incoming e-mail. */
  receiveMail: Ses['receiveMail'];
  /** Answers a request to the HTTP API. */
  front(request: FrontRequest): Promise<AwsResponse>;
  send(queueArn: string, body: string): void;
  queue(queueArn: string): { visible: number; hidden: number };
  /** Runs the template's custom resources again, like an update or the deletion of the stack. */
  runCustomResources(type: RequestType): Promise<void>;
  /** Resolves when every running batch has ended and the state is closed. */
  stop(): Promise<void>;
}

/** Deploys a synthesised template to the local services and starts its event sources. */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { assembly, onError, publicUrl } = options;
  const opened = openServices(options);
  const { state, context, services, functions, lambda, permissions, meter, aws } = opened;
  options.onService?.({ aws });

  const target = deployContext({
    ...{ region: REGION, account: ACCOUNT, stackName: assembly.name, publicUrl, functions, aws },
    endpointRegion: options.externalEndpoints?.region ?? REGION,
  });
  const created = await deploy(assembly, target, permissions.observe);
  opened.addService(cloudformation(assembly.name, assembly.template, created));
  opened.open();
  for (const refusal of permissions.unlogged)
    onError(new Error(`A function is not allowed to write its log: ${sentenceOf(refusal)}`));
  const runCustomResources = async (type: RequestType): Promise<void> => {
    for (const resource of target.customResources) await opened.customResources.run(resource, type);
  };
  if (options.runCustomResources ?? true) await runCustomResources('Create');
  const front = frontDoor(target, context, { lambda, permissions });
  opened.openFront(front);
  opened.eventSources.connect(target.eventSources, (source) =>
    connectEventSource(source, {
      ...{ queues: services.sqs, lambda, meter, onError },
      longestWindowSeconds: options.longestWindowSeconds ?? Number.POSITIVE_INFINITY,
    }),
  );
  return {
    ...{ db: state.db, sentMessages: services.sentMessages, functions, created, aws, runCustomResources },
    outputs: outputsOf(assembly, created, target),
    counts: opened.counts,
    deliver: context.deliver,
    receiveMail: services.ses.receiveMail,
    front(request) {
      meter.called(target.routes[0]?.api ?? '');
      return front(request);
    },
    send: services.sqs.send,
    queue: services.sqs.counts,
    async stop() {
      await opened.eventSources.stop();
      opened.metrics.flush();
      state.close();
    },
  };
};
