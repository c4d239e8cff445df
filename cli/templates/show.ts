import type { FilePreview } from '../client/messages/templates.ts';
import { sanitize, sanitizeLines } from '../terminal/sanitize.ts';

/** The lines that show one file of a template as its recipient gets it. */
export const previewLines = (preview: FilePreview): string[] => {
  const { file, fault, from, subject, preheader, text = '', html, template, sms } = preview;
  if (fault !== undefined) return [file, `  ✗ ${sanitizeLines(fault)}`];
  return [
    file,
    ...heading('from', from),
    ...heading(preview.medium === 'push' ? 'title' : 'subject', subject),
    ...heading('preheader', preheader),
    ...(template
      ? [
          `  approved template ${sanitize(template.name)}, language ${sanitize(template.language)}`,
          ...template.parameters.map((value, at) => `  {{${at + 1}}} ${sanitize(value)}`),
        ]
      : sanitizeLines(text)
          .split('\n')
          .map((line) => `  │ ${line}`)),
    ...(html === undefined ? [] : [`  HTML: ${Buffer.byteLength(html)} bytes; --html FILE writes it`]),
    ...(sms ? [`  ${smsLine(sms)}`] : []),
  ];
};

const heading = (name: string, value: string | undefined): string[] =>
  value === undefined ? [] : [`  ${name}: ${sanitize(value)}`];

/** How an SMS is encoded and billed. */
const smsLine = ({ encoding, units, parts, forcedBy }: NonNullable<FilePreview['sms']>): string => {
  const [alone, joined] = encoding === 'GSM-7' ? [160, 153] : [70, 67];
  const room = parts > 1 ? parts * joined : alone;
  const why =
    forcedBy.length === 0
      ? ''
      : `, because of ${forcedBy.map((one) => `“${sanitize(one)}” (U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')})`).join(', ')}: without, 160 characters fit in one SMS instead of 70`;
  return `SMS: ${parts} ${parts === 1 ? 'part' : 'parts'}, billed as ${parts} SMS; ${units} of ${room} ${encoding === 'GSM-7' ? 'septets' : 'units'} in ${encoding}${why}`;
};
