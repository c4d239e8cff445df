import { maskAddress } from '../../../core/consent/preferences.ts';
import { answerByButton, enqueueFromPage, linkPage } from './link.ts';
import { askPage, donePage } from './unsubscribe-view.ts';

/**
 * One-click unsubscribe (RFC 8058): a GET shows a button, a POST ends marketing to the address of the link, on its channel.
 * The link never expires and does nothing else: it turns nothing on, and shows nothing of the person.
 */
export const unsubscribe = linkPage('unsubscribe', async (opened, ports) => {
  const { site, channel, address, isPressed } = opened;
  const view = { site, channel, masked: maskAddress(address, site.words.numberEnding) };
  if (!isPressed) return askPage(view);
  // Recorded also where it seems to hold already: no earlier answer may stand against it.
  await enqueueFromPage(opened, ports, {
    ...answerByButton(opened, 'unsubscribe'),
    kind: 'opt-out',
    properties: { scope: 'marketing', page: 'unsubscribe' },
  });
  return donePage(view);
});
