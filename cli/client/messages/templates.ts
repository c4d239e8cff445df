import * as z from 'zod';
import { type HubConnection, request } from '../request.ts';

/** What is rendered, and for whom; the files are those of the working copy. */
export interface TemplateRequest {
  readonly template: string;
  readonly files: Readonly<Record<string, string>>;
  /** A published trigger by its id, or the definition of one. */
  readonly trigger?: unknown;
  readonly customer?: string | undefined;
  readonly language?: string | undefined;
}

const FilePreview = z.object({
  file: z.string(),
  medium: z.enum(['email', 'sms', 'push', 'whatsapp']),
  language: z.string().optional(),
  subject: z.string().optional(),
  preheader: z.string().optional(),
  from: z.string().optional(),
  text: z.string().optional(),
  html: z.string().optional(),
  template: z
    .object({ name: z.string(), language: z.string(), parameters: z.array(z.string()).readonly() })
    .optional(),
  sms: z
    .object({
      encoding: z.string(),
      units: z.number(),
      parts: z.number(),
      forcedBy: z.array(z.string()).readonly(),
    })
    .optional(),
  fault: z.string().optional(),
});
export type FilePreview = z.infer<typeof FilePreview>;

const Previews = z.looseObject({
  customer: z.string().optional(),
  interaction: z.string().optional(),
  items: z.array(FilePreview),
});

/** A template as a customer of the hub would get it. */
export const previewFor = (
  hub: HubConnection,
  asked: TemplateRequest & { readonly medium?: string | undefined },
): Promise<z.infer<typeof Previews>> =>
  request(hub, { method: 'POST', path: ['templates', 'preview'], body: asked }, Previews);

const Accepted = z.looseObject({ id: z.string(), to: z.string(), file: z.string() });

/** Sends a test of a template to an address, through the hub's sender. */
export const sendTemplateTest = (
  hub: HubConnection,
  asked: TemplateRequest & { readonly to: string; readonly channel: string },
): Promise<z.infer<typeof Accepted>> =>
  request(hub, { method: 'POST', path: ['templates', 'test'], body: asked }, Accepted);
