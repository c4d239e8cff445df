import type { HttpRequest } from '@smithy/types';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { noPause } from './no-pause.ts';

export interface Answer {
  readonly status?: number;
  readonly body: object;
}

/** A runtime whose AWS answers with `answers` in turn, the last one again and again, and the requests that it got. */
export const answering = (...answers: readonly Answer[]) => {
  const asked: { operation: string; body: Record<string, unknown> }[] = [];
  const reply = (target: string, text: string): { status: number; body: string } => {
    const { status = 200, body } = answers[Math.min(asked.length, answers.length - 1)] ?? { body: {} };
    asked.push({ operation: target.split('.').at(-1) ?? '', body: JSON.parse(text) });
    return { status, body: JSON.stringify(body) };
  };
  const runtime: Runtime = {
    env: {
      ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' },
      ...{ BUS: 'hub', TABLE: 'hub' },
    },
    ...{ now: () => 0, newId: () => 'id', ...noPause },
    aws: {
      requestHandler: {
        async handle({ headers, body }: HttpRequest) {
          const text = typeof body === 'string' ? body : Buffer.from(body as Uint8Array).toString();
          const answer = reply(headers['x-amz-target'] ?? '', text);
          const encoded = { headers: { 'content-type': 'application/x-amz-json-1.0' } };
          return { response: { statusCode: answer.status, body: Buffer.from(answer.body), ...encoded } };
        },
      },
      async fetch(request) {
        const answer = reply(request.headers.get('x-amz-target') ?? '', await request.text());
        return new Response(answer.body, { status: answer.status });
      },
    },
  };
  return { runtime, asked };
};
