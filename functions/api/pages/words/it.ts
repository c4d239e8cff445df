import type { Words } from './en.ts';

export const italian: Words = {
  channels: {
    email: 'E-mail',
    sms: 'Messaggi di testo (SMS)',
    rcs: 'Messaggi di testo (RCS)',
    whatsapp: 'WhatsApp',
    voice: 'Telefono',
    messenger: 'Messenger',
    instagram: 'Instagram',
    telegram: 'Telegram',
    line: 'LINE',
    viber: 'Viber',
    slack: 'Slack',
    discord: 'Discord',
    teams: 'Microsoft Teams',
    x: 'X',
    tiktok: 'TikTok',
    apple: 'Messaggi di Apple',
    chat: 'Chat sul nostro sito',
    form: 'Moduli',
    web: 'Il nostro sito',
    'in-person': 'Di persona',
    push: 'Notifiche della nostra app',
    crm: 'I nostri archivi',
  },
  reopening: {
    'opt-out':
      'Da qui hai inviato STOP, quindi qui non inviamo nulla. Per ricevere di nuovo i messaggi, invia START al numero che ti ha scritto.',
    bounce:
      'Ciò che abbiamo inviato qui è tornato indietro, quindi qui non inviamo più nulla. Se l’indirizzo funziona di nuovo, scrivici da lì e chiedici di riaprirlo.',
    complaint:
      'Un messaggio inviato qui è stato segnalato come spam, quindi qui non inviamo più nulla. Se è stato un errore, scrivici e chiedici di riaprirlo.',
  },
  to: 'a',
  numberEnding: (digits) => `numero che termina con ${digits}`,
  broken: {
    title: 'Questo link non è completo',
    text: 'Non è cambiato nulla. Aprilo di nuovo dal messaggio. Se lo hai copiato, copialo per intero.',
  },
  gone: {
    title: 'Non conserviamo nulla di questo indirizzo',
    text: 'L’indirizzo a cui è stato inviato questo link non è più nei nostri archivi: non c’è nulla da scegliere e non inviamo nulla.',
  },
  unreadableForm: {
    title: 'Non è stato possibile leggere il modulo',
    text: 'Non è cambiato nulla. Apri di nuovo il link e salva ancora una volta le tue scelte.',
  },
  confirm: {
    title: 'Vuoi ricevere le nostre offerte e novità?',
    asked:
      'qualcuno ha chiesto di ricevere qui le nostre offerte e novità. Con il pulsante confermi che questo indirizzo è tuo e che le vuoi ricevere.',
    button: 'Sì, le voglio ricevere',
    notYou:
      'Non sei stato tu? Chiudi questa pagina. Se il pulsante non viene premuto, non inviamo né offerte né novità.',
    doneTitle: 'Grazie',
    done: 'È confermato: possiamo inviarti le nostre offerte e novità.',
    howToEnd: 'Ogni messaggio contiene un link per non riceverle più.',
    expiredTitle: 'Questo link è scaduto',
    expired:
      'Non è cambiato nulla, e per questo link non inviamo né offerte né novità. Se le vuoi ancora, iscriviti di nuovo: riceverai un nuovo link.',
    closedTitle: 'A questo indirizzo non inviamo nulla',
  },
  unsubscribe: {
    title: 'Annulla l’iscrizione',
    asked: 'niente più offerte e novità. Ciò che riguarda i tuoi ordini e le tue richieste arriva comunque.',
    button: 'Annulla l’iscrizione',
    doneTitle: 'La tua iscrizione è annullata',
    done: (channel) =>
      `Fatto. ${channel}: non riceverai più offerte e novità. Un messaggio già in viaggio può ancora arrivare.`,
    later: 'Per scegliere diversamente in seguito, apri il link alle tue scelte in uno dei nostri messaggi.',
  },
  preferences: {
    title: 'Che cosa possiamo inviarti',
    everything: { name: 'Tutto', about: 'Anche offerte e novità.' },
    service: {
      name: 'Solo ciò che riguarda i miei ordini e le mie richieste',
      about: 'Niente offerte, niente novità.',
    },
    nothing: { name: 'Nulla', about: 'Tranne ciò che va inviato per forza, come una ricevuta.' },
    saved: 'Le tue scelte sono salvate. Un messaggio già in viaggio può ancora arrivare.',
    unchanged: 'Non è cambiato nulla: queste sono le scelte che avevamo già.',
    save: 'Salva le mie scelte',
    saveOne: 'Salva la mia scelta',
    notChosen:
      'Non hai ancora scelto. Finché non lo fai, ricevi solo ciò che riguarda i tuoi ordini e le tue richieste.',
    overruled:
      'Per un altro dei tuoi indirizzi hai scelto di ricevere meno, e questo vale per tutti. Si cambia con il link di quell’indirizzo.',
    asked:
      'Offerte e novità iniziano dopo la tua conferma: inviamo un messaggio a questo indirizzo. Premi il pulsante sulla pagina a cui porta il suo link.',
    preferred: 'Dove ti scriviamo per primo',
    lastUsed: 'Dove ci hai scritto l’ultima volta',
    others: 'I tuoi altri indirizzi',
    othersAbout:
      'Questa pagina cambia solo l’indirizzo a cui è stato inviato il suo link. Ogni altro indirizzo ha un link proprio.',
    inAMessage: 'Apri il link alle tue scelte in un messaggio che hai ricevuto lì.',
    sendTo: (address) => `Invia un link a ${address}`,
    send: 'Invia un link',
  },
  expired: {
    title: 'Questo link è scaduto',
    text: 'Per la tua sicurezza, un link alle tue scelte vale 30 giorni. Non è cambiato nulla.',
    canSend: 'Possiamo inviare un nuovo link all’indirizzo a cui è stato inviato questo.',
    send: 'Invia un nuovo link',
    newest: 'Per averne uno nuovo, apri il link alle tue scelte nel nostro messaggio più recente.',
    unsubscribe:
      'Il link «annulla l’iscrizione» di ogni nostra e-mail funziona sempre, anche dopo molto tempo.',
  },
  linkSent: {
    title: 'Un link è in arrivo',
    sent: 'Inviamo un link, se non ne abbiamo già inviati diversi di recente.',
    about: 'Il link apre le scelte di quell’indirizzo.',
  },
};
