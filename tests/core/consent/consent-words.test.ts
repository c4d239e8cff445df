import { describe, expect, it } from 'vitest';
import { consentWordIn, stopWords } from '../../../core/consent/consent-words.ts';

describe('a stop word', () => {
  it.each([
    ['STOP', 'STOP'],
    [' stop\n', 'STOP'],
    ['Stop.', 'STOP'],
    ['STOP!!', 'STOP'],
    ['"Stop"', 'STOP'],
    ['«STOP»', 'STOP'],
    ['\u200eStop\u200b', 'STOP'],
    ['st\u00adop', 'STOP'],
    ['Ｓｔｏｐ', 'STOP'],
    ['stop all', 'STOPALL'],
    ['Opt-out', 'OPTOUT'],
    ['opt out…', 'OPTOUT'],
    ['arret', 'ARRÊT'],
    ['Arrêt.', 'ARRÊT'],
    ['desabonner', 'DÉSABONNER'],
    ['Baja', 'BAJA'],
    ['alto', 'ALTO'],
    ['stopp!', 'STOPP'],
    ['Afmelden', 'AFMELDEN'],
    ['parar', 'PARAR'],
    ['iptal', 'İPTAL'],
    ['стоп', 'СТОП'],
    ['退订', '退订'],
    ['수신거부', '수신거부'],
    ['الغاء الاشتراك', 'إلغاء الاشتراك'],
  ])('is read in %j', (text, word) => {
    expect(consentWordIn(text)).toEqual({ word, means: 'stop' });
  });

  it.each([
    '',
    '.',
    'Stop by tomorrow?',
    'please stop',
    'stop it',
    'Stopped',
    'Do not cancel',
    'the end',
    `STOP${' '.repeat(200)}STOP`,
  ])('is not read in %j', (text) => {
    expect(consentWordIn(text)).toBeUndefined();
  });

  it.each(Object.values(stopWords).flat())('%s is read as it is listed', (word) => {
    expect(consentWordIn(word)?.means).toBe('stop');
  });
});

it.each(['START', 'start.', 'Unstop', 'yes!', '\u200eYES'])('a resume word is read in %j', (text) => {
  expect(consentWordIn(text)?.means).toBe('resume');
});
