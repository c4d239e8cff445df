import { describe, expect, it } from 'vitest';
import {
  addedOnReceipt,
  authorDomain,
  isAligned,
  isAuthenticResult,
  isSignedByAuthorAlone,
  resultServer,
} from '../../../core/formats/mail/author.ts';

describe('the author of a mail', () => {
  it.each([
    [['Ada <ada@Example.com>'], 'example.com'],
    [['"Lovelace, Ada" <ada@example.com>'], 'example.com'],
    [['"eve@example.net" <ada@example.com>'], 'example.com'],
    [['ada@bücher.example'], 'xn--bcher-kva.example'],
    [['Ada <ada@example.com>, Eve <eve@example.net>'], undefined],
    [['Ada <ada@example.com>, Eve'], undefined],
    [['Ada <ada@example.com>', 'Ada <ada@example.com>'], undefined],
    [['Team: ada@example.com;'], undefined],
    [['"Ada <ada@example.com>, Eve'], undefined],
    [['nobody'], undefined],
    [[''], undefined],
    [[], undefined],
  ] as const)('of %j is at %s', (from, domain) => {
    expect(authorDomain(from)).toBe(domain);
  });
});

describe('a signature', () => {
  it.each([
    ['example.com', 'example.com', true],
    ['EXAMPLE.com.', 'example.com', true],
    ['mail.example.com', 'example.com', true],
    ['example.com', 'news.example.com', true],
    ['a.example.com', 'b.example.com', false],
    ['evil-example.com', 'example.com', false],
    ['example.com.evil.net', 'example.com', false],
    ['com', 'example.com', false],
    ['co.uk', 'example.co.uk', false],
    ['evil.co.uk', 'example.co.uk', false],
    ['eve.github.io', 'ada.github.io', false],
    ['', 'example.com', false],
    ['example.com@evil.net', 'example.com', false],
  ])('of %s for an author at %s: %s', (signer, author, aligned) => {
    expect(isAligned(signer, author)).toBe(aligned);
  });

  it('of another domain beside it, or none, makes a verdict without a domain worthless', () => {
    const signed = (...domains: string[]) =>
      domains.map((domain) => ({ name: 'DKIM-Signature', value: `v=1; bh=d=example.com; d=${domain}; b=x` }));
    expect(isSignedByAuthorAlone(signed('example.com'), 'example.com')).toBe(true);
    expect(isSignedByAuthorAlone(signed('example.com', 'example.net'), 'example.com')).toBe(false);
    expect(isSignedByAuthorAlone(signed('example.net'), 'example.com')).toBe(false);
    expect(isSignedByAuthorAlone([], 'example.com')).toBe(false);
  });
});

describe('the headers that the receiving provider added', () => {
  const header = (name: string, value: string) => ({ name, value });
  const [own, again] = [header('X-Result', 'own'), header('Received', 'by mx (Postfix, from userid 9)')];
  const border = header('Received', 'from mail.example.com by mx');
  const forged = header('X-Result', 'forged');

  it('stand above the Received header of its border', () => {
    expect(addedOnReceipt([again, own, border, forged])).toEqual([again, own]);
    expect(addedOnReceipt([border, forged])).toEqual([]);
  });
});

describe('an Authentication-Results header', () => {
  it.each([
    ['mx.example; dmarc=pass header.from=example.com', true],
    ['mx.example; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com', true],
    ['mx.example; dkim=fail header.d=example.com; dkim=pass header.i=@mail.example.com', true],
    ['mx.example; dmarc=pass (p=reject) header.from=example.com', true],
    ['mx.example; dmarc=pass header.from=example.net', false],
    ['mx.example; dkim=pass header.d=example.net', false],
    ['mx.example; dkim=pass', false],
    ['mx.example; spf=pass smtp.mailfrom=example.com', false],
    ['mx.example; dmarc=fail header.from=example.com', false],
    ['mx.example; spf=fail (eve; dmarc=pass header.from=example.com)', false],
    ['mx.example; spf=fail (a (b) ; dmarc=pass header.from=example.com)', false],
    ['mx.example; spf=fail reason="; dmarc=pass header.from=example.com"', false],
    ['mx.example; spf=fail (a \\) ; dmarc=pass header.from=example.com)', false],
    ['mx.example; spf=fail (a ; dmarc=pass header.from=example.com', false],
    ['dmarc=pass header.from=example.com', false],
    ['', false],
  ])('%s authenticates: %s', (result, authentic) => {
    expect(isAuthenticResult(result, 'example.com')).toBe(authentic);
  });

  it('of half a million brackets is read at once', () => {
    expect(isAuthenticResult(`mx.example; ${'('.repeat(500_000)}; dmarc=pass`, 'example.com')).toBe(false);
  });

  it('names the server that wrote it first', () => {
    expect(resultServer('inbound.postmarkapp.com 1; dkim=pass')).toBe('inbound.postmarkapp.com');
    expect(resultServer('(postmarkapp.com) evil.example; dkim=pass')).toBe('evil.example');
  });
});
