/** How an SMS is sent and billed. */
export interface SmsParts {
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** What the encoding counts: septets, two for a character of the extension table; or UTF-16 units. */
  readonly units: number;
  /** Each is billed as one SMS: of one part 160 septets or 70 units, of several 153 or 67 each. */
  readonly parts: number;
  /** The characters that GSM-7 does not have, each once: they force UCS-2, which makes the SMS dearer. */
  readonly forcedBy: readonly string[];
}

// 3GPP TS 23.038, the default alphabet and its extension table; a character of the latter is two septets.
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const extension = new Set('\f^{}\\[~]|€');

const limits = {
  'GSM-7': { alone: 160, joined: 153 },
  'UCS-2': { alone: 70, joined: 67 },
} as const;

/** The parts in which a text is sent as SMS. No character is cut in two between parts. */
export const smsParts = (text: string): SmsParts => {
  const characters = [...text];
  const forcedBy = [...new Set(characters.filter((one) => !basic.has(one) && !extension.has(one)))];
  const encoding = forcedBy.length === 0 ? 'GSM-7' : 'UCS-2';
  const sizeOf = (character: string): number =>
    encoding === 'UCS-2' ? character.length : extension.has(character) ? 2 : 1;
  const units = characters.reduce((sum, one) => sum + sizeOf(one), 0);
  const { alone, joined } = limits[encoding];
  if (units <= alone) return { encoding, units, parts: units === 0 ? 0 : 1, forcedBy };
  let parts = 1;
  let used = 0;
  for (const character of characters) {
    const size = sizeOf(character);
    if (used + size > joined) {
      parts++;
      used = 0;
    }
    used += size;
  }
  return { encoding, units, parts, forcedBy };
};
