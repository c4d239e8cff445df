/** Providers whose domains say nothing about where somebody works; of `yahoo` and the like every country's. */
const freeMail: ReadonlySet<string> = new Set(
  `gmail.com googlemail.com icloud.com me.com mac.com aol.com proton.me protonmail.com pm.me hey.com fastmail.com
  tutanota.com zoho.com mail.com inbox.com mail.ru bk.ru list.ru qq.com 163.com 126.com sina.com naver.com daum.net
  hanmail.net rediffmail.com web.de t-online.de freenet.de arcor.de libero.it virgilio.it alice.it tiscali.it tin.it
  orange.fr wanadoo.fr free.fr laposte.net sfr.fr bbox.fr telenet.be skynet.be ziggo.nl kpnmail.nl bluewin.ch
  seznam.cz wp.pl o2.pl onet.pl interia.pl uol.com.br bol.com.br terra.com.br comcast.net verizon.net att.net
  sbcglobal.net btinternet.com sky.com virginmedia.com bigpond.com`.split(/\s+/u),
);
const freeMailOfEveryCountry = /^(?:yahoo|hotmail|outlook|live|msn|gmx|yandex|ymail)\.[a-z.]+$/u;

/** The domain of an address that may be somebody's employer's; undefined for providers of free mail. */
export const companyDomain = (email: string): string | undefined => {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return freeMail.has(domain) || freeMailOfEveryCountry.test(domain) ? undefined : domain;
};

/** How a company's web site is written in a CRM. */
export const websitesOf = (domain: string): string[] =>
  ['', 'www.', 'https://', 'https://www.', 'http://', 'http://www.'].map((start) => `${start}${domain}`);
