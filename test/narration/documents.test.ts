import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { AttachmentError } from '../../src/files/attachment-error.ts';
import { TemporaryFile } from '../../src/files/temporary-file.ts';
import type { TextDocument } from '../../src/narration/document.ts';
import { readDocument } from '../../src/narration/documents.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { epubOf, zipOf } from './zip.ts';

/** A clear answer is to be there within 15 s, the download included. */
const SOON_MS = 12_000;

async function read(name: string, bytes: string | Uint8Array): Promise<TextDocument> {
  await using file = await TemporaryFile.of(Buffer.from(bytes));
  return await readDocument({ path: file.path, name }, monotonicClock, new AbortController().signal);
}

async function troubleOf(name: string, bytes: string | Uint8Array): Promise<string> {
  const startedAtMs = performance.now();
  const trouble = await read(name, bytes).then(
    () => 'read',
    (error: unknown) => (error instanceof AttachmentError ? error.kind : 'another error'),
  );
  expect(performance.now() - startedAtMs).toBeLessThan(SOON_MS);
  return trouble;
}

function page(body: string): string {
  return `<?xml version="1.0"?><html><head><title>no</title><style>p{}</style></head><body>${body}</body></html>`;
}

describe('chapters', () => {
  test('of a Markdown file are its headings, and what is read is its words', async () => {
    const { title, chapters } = await read(
      'book.md',
      await readFile(new URL('fixtures/the-lamplighter.md', import.meta.url)),
    );
    expect(title).toBe('The Lamplighter');
    expect(chapters.map((chapter) => chapter.title)).toEqual(['The last lamp', 'What the river knew']);
    expect(chapters[0]?.paragraphs.slice(0, 2)).toEqual(['The Lamplighter', 'The last lamp']);
    expect(chapters[0]?.paragraphs[2]).toContain('walked up Quill Street with');
    expect(chapters[1]?.paragraphs.slice(1, 3)).toEqual(['It had a green glass.', 'It had no number.']);
  });

  test('of a plain text are the lines that say so', async () => {
    const { chapters } = await read(
      'book.txt',
      'Chapter 1\n\nIt began\nin spring.\n\nCHAPTER TWO: The End\r\n\r\nIt ended.\n\nIV\n\nNo.',
    );
    expect(chapters).toEqual([
      { title: 'Chapter 1', paragraphs: ['Chapter 1', 'It began in spring.'] },
      { title: 'CHAPTER TWO: The End', paragraphs: ['CHAPTER TWO: The End', 'It ended.'] },
      { title: 'IV', paragraphs: ['IV', 'No.'] },
    ]);
  });

  test('of a book come in its own order; a page without a heading goes on with the one before', async () => {
    const { title, chapters } = await read(
      'book.epub',
      epubOf([
        page('<section><h1>The <em>Sea</em></h1><p>It was w&#233;t.<br/>Very wet.</p><script>no()</script></section>'),
        page('<div>And deep.</div>'),
        page('<h2>The Land</h2><ul><li>Dry</li><li>High &amp; wide</li></ul>'),
      ]),
    );
    expect(title).toBe('A Book & more');
    expect(chapters).toEqual([
      { title: 'The Sea', paragraphs: ['The Sea', 'It was wét.', 'Very wet.', 'And deep.'] },
      { title: 'The Land', paragraphs: ['The Land', 'Dry', 'High & wide'] },
    ]);
  });

  test.for([
    ['utf-16le', Buffer.from('\ufeffGrüße aus Köln.', 'utf16le')],
    ['windows-1252', Buffer.from('Grüße aus Köln.', 'latin1')],
    ['utf-8 with its mark', Buffer.from('\ufeffGrüße aus Köln.')],
  ] as const)('are read in %s', async ([, bytes]) => {
    expect((await read('gruss.txt', bytes)).chapters).toEqual([{ title: undefined, paragraphs: ['Grüße aus Köln.'] }]);
  });
});

describe('what cannot be read is told', () => {
  const bomb = Buffer.alloc(60 * 1024 * 1024, 'a ');
  const encryption =
    '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/></EncryptedData></encryption>';
  const fonts =
    '<encryption><enc:EncryptionMethod xmlns:enc="x" Algorithm="http://www.idpf.org/2008/embedding"/></encryption>';

  test.for<[string, string, () => string | Uint8Array, string]>([
    ['a text that is too long', 'long.txt', () => 'word '.repeat(100_001), 'text-too-long'],
    ['50 MB of text', 'huge.txt', () => Buffer.alloc(50 * 1024 * 1024, 'word '), 'text-too-long'],
    ['a zip bomb as a book', 'bomb.epub', () => epubOf([], [{ name: 'OEBPS/x', data: bomb }]), 'no-text'],
    ['a zip bomb as a page', 'bomb.epub', () => epubOf([bomb.toString('latin1')]), 'text-too-long'],
    [
      'a page that unpacks to more than it says',
      'liar.epub',
      () => zipOf([{ name: 'META-INF/container.xml', data: bomb, claimedSize: 100 }]),
      'damaged-text',
    ],
    ['a zip in a zip', 'nested.epub', () => zipOf([{ name: 'book.epub', data: epubOf(['<p>a</p>']) }]), 'not-a-text'],
    [
      'an encrypted book',
      'locked.epub',
      () => epubOf(['<p>a</p>'], [{ name: 'META-INF/encryption.xml', data: encryption }]),
      'encrypted-text',
    ],
    [
      'a zip file with a password',
      'locked.epub',
      () => epubOf(['<p>a</p>'], [{ name: 'x', data: 'x', encrypted: true }]),
      'encrypted-text',
    ],
    ['a truncated book', 'half.epub', () => epubOf(['<p>Hello there.</p>']).subarray(0, 300), 'damaged-text'],
    [
      'a book with scrambled fonts only',
      'fonts.epub',
      () => epubOf(['<p>Hello.</p>'], [{ name: 'META-INF/encryption.xml', data: fonts }]),
      'read',
    ],
    ['a page nested very deeply', 'deep.epub', () => epubOf(['<div>'.repeat(5_000)]), 'no-text'],
    [
      'entities that multiply',
      'laughs.epub',
      () => epubOf(['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><p>&b;&b;</p>']),
      'read',
    ],
    ['Markdown nested very deeply', 'deep.md', () => '> '.repeat(100_000) + 'a', 'damaged-text'],
    ['zero bytes', 'binary.txt', () => Buffer.from([65, 0, 66]), 'not-a-text'],
    [
      'a picture',
      'picture.txt',
      () => Buffer.from(Array.from({ length: 4000 }, (_, i) => 1 + ((i * 97) % 255))),
      'not-a-text',
    ],
    ['only marks', 'marks.md', () => '* * *\n\n---\n', 'no-text'],
  ])('%s', { timeout: 30_000 }, async ([, name, bytes, trouble]) => {
    expect(await troubleOf(name, bytes())).toBe(trouble);
  });
});
