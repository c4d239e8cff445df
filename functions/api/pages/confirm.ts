import { maskAddress } from '../../../core/consent/preferences.ts';
import { askPage, closedPage, donePage, expiredPage } from './confirm-view.ts';
import { answerByButton, enqueueFromPage, linkPage, type OpenedLink } from './link.ts';

/**
 * The page of double opt-in. Its button proves the address of the link: the answer goes to its owner, or to a new person who
 * then owns it, and the guests who claimed it are shown with that person.
 */
export const confirm = linkPage('confirm', async (opened, ports) => {
  const { site, channel, address, addressee, isPressed } = opened;
  const view = { site, channel, masked: maskAddress(address, site.words.numberEnding) };
  const closed = addressee.owner?.customer.closed[address]?.reason;
  if (closed !== undefined) return closedPage(view, closed);
  if (isConfirmed(opened)) return donePage(view);
  if (opened.isExpired) return expiredPage(view);
  if (!isPressed) return askPage(view);
  await enqueueFromPage(opened, ports, {
    ...answerByButton(opened, 'confirm'),
    kind: 'opt-in',
    properties: { page: 'confirm' },
  });
  return donePage(view);
});

/** Whether the owner of the address gets marketing there already. */
const isConfirmed = ({ addressee: { owner, mute }, channel }: OpenedLink): boolean => {
  const entry = owner?.profile.consent[channel];
  return entry?.status === 'granted' && !(mute !== undefined && mute.at > entry.at);
};
