import { withoutInvisible } from '../formats/mail/mailbox.ts';

/** The words that end messages, by language. They count for everybody: people answer in their own language. */
export const stopWords = {
  English: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT', 'REMOVE'],
  Arabic: ['توقف', 'إيقاف', 'إلغاء الاشتراك'],
  Chinese: ['退订', '退訂', '停止', 'TD'],
  Czech: ['ODHLÁSIT'],
  Danish: ['AFMELD', 'FRAMELD'],
  Dutch: ['AFMELDEN', 'UITSCHRIJVEN', 'STOPPEN'],
  Finnish: ['LOPETA'],
  French: ['ARRÊT', 'ARRÊTER', 'DÉSABONNER', 'DÉSINSCRIRE'],
  German: ['STOPP', 'ABMELDEN', 'ABBESTELLEN'],
  Greek: ['ΣΤΟΠ', 'ΔΙΑΚΟΠΗ'],
  Hebrew: ['הסר', 'הסרה'],
  Hindi: ['रोकें', 'बंद करें'],
  Hungarian: ['LEIRATKOZÁS', 'LEIRATKOZOM'],
  Indonesian: ['BERHENTI'],
  Italian: ['DISISCRIVIMI', 'CANCELLAMI', 'DISATTIVA'],
  Japanese: ['配信停止'],
  Korean: ['수신거부'],
  Norwegian: ['AVSLUTT'],
  Polish: ['WYPISZ', 'REZYGNUJĘ'],
  Portuguese: ['PARAR', 'SAIR', 'DESCADASTRAR'],
  Romanian: ['DEZABONARE'],
  Russian: ['СТОП', 'ОТПИСАТЬСЯ', 'ОТПИСКА'],
  Spanish: ['ALTO', 'BAJA', 'PARAR', 'SALIR'],
  Swedish: ['STOPP', 'AVSLUTA', 'AVREGISTRERA'],
  Thai: ['ยกเลิก'],
  Turkish: ['İPTAL', 'RET'],
  Ukrainian: ['ВІДПИСАТИСЯ'],
  Vietnamese: ['TỪ CHỐI'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The words that lift a denial; `START` also answers for those who have not answered yet. */
const resumeWords = ['START', 'UNSTOP', 'YES'] as const;

/** A text by which words are compared: without accents, invisible characters, punctuation around it, and gaps in it. */
const comparable = (text: string): string =>
  withoutInvisible(text)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toUpperCase()
    .replace(/^[\s\p{P}]+|(?<![\s\p{P}])[\s\p{P}]+$/gu, '')
    .replace(/[\s\p{Pd}]/gu, '');

const listed = (means: ConsentWord['means'], words: readonly string[]): [string, ConsentWord][] =>
  words.map((word) => [comparable(word), { word, means }]);

const known: ReadonlyMap<string, ConsentWord> = new Map([
  ...listed('resume', resumeWords),
  ...Object.values(stopWords)
    .toReversed()
    .flatMap((words) => listed('stop', words)),
]);

interface ConsentWord {
  /** As the table has it. */
  readonly word: string;
  readonly means: 'stop' | 'resume';
}

/** Longer texts are no single word, whatever is left of them. */
const LONGEST = 100;

/** The stop or start word that a whole text consists of, as people write it. */
export const consentWordIn = (text: string): ConsentWord | undefined =>
  text.length > LONGEST ? undefined : known.get(comparable(text));
