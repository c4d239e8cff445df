import { HubError } from '../../errors.ts';
import { type Rendered, renderTemplate, type TemplateVariables } from '../template.ts';
import {
  fileFor,
  fileMeaning,
  type Languages,
  type Medium,
  media,
  type TemplateFiles,
} from '../template-files.ts';
import { channelOf } from './faults.ts';
import { type SmsParts, smsParts } from './sms-parts.ts';

/** One file of a template as a customer would get it. */
export interface FilePreview extends Partial<Rendered> {
  readonly file: string;
  readonly medium: Medium;
  readonly language?: string;
  /** Of the text of an SMS. */
  readonly sms?: SmsParts;
  /** Why it cannot be rendered for this customer. */
  readonly fault?: string;
}

interface Asked {
  readonly medium?: Medium | undefined;
  /** Only the file that a customer of this language gets; otherwise every file. */
  readonly languages?: Languages | undefined;
  /** The language of the hub, for what the files do not say. */
  readonly hub?: string | undefined;
}

/** Renders the files of a template: all, or those of one medium or language. `variablesIn`: for a customer of a language. */
export const previewTemplate = (
  id: string,
  files: TemplateFiles,
  variablesIn: (language: string | undefined) => TemplateVariables,
  { medium: wanted, languages, hub }: Asked = {},
): FilePreview[] => {
  const ofMedium = media.filter((one) => wanted === undefined || one === wanted);
  const names = ofMedium.flatMap((medium) =>
    languages
      ? (fileFor(files, medium, languages)?.name ?? [])
      : Object.keys(files)
          .filter((file) => fileMeaning(file)?.medium === medium)
          .sort(),
  );
  return names.flatMap((file): FilePreview[] => {
    const meaning = fileMeaning(file);
    if (meaning === undefined) return [];
    const isApproved = meaning.medium === 'whatsapp';
    try {
      const variables = variablesIn(meaning.language ?? languages?.customer);
      const options = { file, hub };
      const rendered = renderTemplate(id, files, channelOf[meaning.medium], variables, isApproved, options);
      const sms = meaning.medium === 'sms' ? { sms: smsParts(rendered.text) } : {};
      return [{ file, ...meaning, ...rendered, ...sms }];
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return [{ file, ...meaning, fault: error.message }];
    }
  });
};
