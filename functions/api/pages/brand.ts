import type { HubConfig } from '../../../core/config/hub-config.ts';

type Rgb = readonly [number, number, number];

/** Of the backgrounds of the pages, those on which the colour of the business is hardest to read, in light and in dark mode. */
const LIGHT: Rgb = [0xf4, 0xf6, 0xf8];
const DARK: Rgb = [0x1b, 0x20, 0x27];
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0x0c, 0x11, 0x16];
/** WCAG 2.2, 1.4.3: the least contrast of text. */
const LEAST_CONTRAST = 4.5;

const DEFAULT_COLORS = { light: '#0b5cad', dark: '#7db7ff' };

const rgbOf = (hex: string): Rgb => {
  const channel = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
};

const hexOf = (color: Rgb): string =>
  `#${color.map((one) => Math.round(one).toString(16).padStart(2, '0')).join('')}`;

/** WCAG's relative luminance. */
const luminance = (color: Rgb): number => {
  const [red = 0, green = 0, blue = 0] = color.map((one) => {
    const share = one / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

/** WCAG's contrast ratio, 1 to 21. */
export const contrast = (one: string, other: string): number => ratio(rgbOf(one), rgbOf(other));

const ratio = (one: Rgb, other: Rgb): number => {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
};

const mixed = (from: Rgb, to: Rgb, share: number): Rgb => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
  from[2] + (to[2] - from[2]) * share,
];

/** The colour, darkened or lightened as little as it takes to be read on the background. */
const readableOn = (color: Rgb, background: Rgb, toward: Rgb): string => {
  for (let step = 0; step < 100; step++) {
    const hex = hexOf(mixed(color, toward, step / 100));
    if (ratio(rgbOf(hex), background) >= LEAST_CONTRAST) return hex;
  }
  return hexOf(toward);
};

/** Black or white, whichever is read better on the colour. */
const textOn = (hex: string): string =>
  ratio(rgbOf(hex), WHITE) >= ratio(rgbOf(hex), BLACK) ? hexOf(WHITE) : hexOf(BLACK);

/** The accent of the pages and the text on it, in light and in dark mode, all readable whatever the business's colour is. */
export const accentColors = ({ color }: HubConfig['brand']) => {
  const light = color === undefined ? DEFAULT_COLORS.light : readableOn(rgbOf(color), LIGHT, BLACK);
  const dark = color === undefined ? DEFAULT_COLORS.dark : readableOn(rgbOf(color), DARK, WHITE);
  return { light, dark, onLight: textOn(light), onDark: textOn(dark) };
};
