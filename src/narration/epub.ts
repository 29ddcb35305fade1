import { posix } from 'node:path';

import { Parser } from 'htmlparser2';

import { AttachmentError } from '../files/attachment-error.ts';
import type { ChapterBuilder } from './document.ts';
import { ZipFile } from './zip-file.ts';

/** Fonts may be scrambled in a book that anybody can read. */
const FONT_SCRAMBLING = new Set(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC']);

/** Elements that end a paragraph where they begin and end. */
const BLOCKS = new Set(
  'address article aside blockquote body br caption dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table td th tr ul'.split(
    ' ',
  ),
);
const HEADINGS = new Set(['h1', 'h2', 'h3']);
const UNREAD = new Set(['head', 'script', 'style', 'nav', 'svg', 'math', 'rt', 'rp', 'template']);

/** Puts a book into chapters, in its reading order. Returns its title. @throws {AttachmentError} */
export async function readEpub(path: string, chapters: ChapterBuilder): Promise<string | undefined> {
  await using zip = await ZipFile.open(path);
  const container = await zip.text('META-INF/container.xml');
  if (container === undefined) throw new AttachmentError('not-a-text', 'a zip file that is no book');
  await checkEncryption(zip);
  const packagePath = attributesOf(container, 'rootfile').find((one) => one['full-path'])?.['full-path'];
  const packageXml = packagePath === undefined ? undefined : await zip.text(packagePath);
  if (packagePath === undefined || packageXml === undefined) {
    throw new AttachmentError('damaged-text', 'a book without its package document');
  }
  for (const href of readingOrder(packageXml)) {
    const page = await zip.text(posix.join(posix.dirname(packagePath), href));
    if (page !== undefined) readPage(page, chapters);
  }
  return titleOf(packageXml);
}

async function checkEncryption(zip: ZipFile): Promise<void> {
  const encryption = await zip.text('META-INF/encryption.xml');
  const isReadable = (algorithm: string | undefined): boolean => FONT_SCRAMBLING.has(algorithm ?? '');
  if (
    zip.isEncrypted ||
    attributesOf(encryption ?? '', 'EncryptionMethod').some((one) => !isReadable(one['Algorithm']))
  ) {
    throw new AttachmentError('encrypted-text', 'an encrypted book');
  }
}

/** The pages of the spine, as paths in the book. Those that are not part of the text itself, such as notes, are left out. */
function readingOrder(packageXml: string): string[] {
  const items = new Map(attributesOf(packageXml, 'item').map((item) => [item['id'], item]));
  return attributesOf(packageXml, 'itemref').flatMap(({ idref, linear }) => {
    const item = items.get(idref);
    if (!item?.['href'] || linear === 'no' || /\bnav\b/.test(item['properties'] ?? '')) return [];
    const href = item['href'].replace(/#.*$/, '');
    return [URL.canParse(href) ? '' : safelyDecoded(href)];
  });
}

function safelyDecoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

/** A page with a heading begins a chapter; one without goes on with the chapter before it. */
function readPage(page: string, chapters: ChapterBuilder): void {
  let text = '';
  let unread = 0;
  let begun = false;
  let heading = '';
  const flush = (): void => {
    if (heading !== '' && !begun && text.trim() !== '') {
      chapters.begin(text);
      begun = true;
    } else {
      chapters.add(text);
    }
    text = '';
  };
  const parser = new Parser(
    {
      onopentagname(name) {
        if (UNREAD.has(name)) unread++;
        if (BLOCKS.has(name)) flush();
        if (HEADINGS.has(name)) heading = name;
      },
      ontext(words) {
        if (unread === 0) text += words;
      },
      onclosetag(name) {
        if (UNREAD.has(name)) unread = Math.max(0, unread - 1);
        if (BLOCKS.has(name)) flush();
        if (name === heading) heading = '';
      },
      onend: flush,
    },
    { lowerCaseTags: true, recognizeSelfClosing: true, decodeEntities: true },
  );
  parser.end(page);
}

/** The attributes of every element of a name, whatever its prefix. */
function attributesOf(xml: string, element: string): Readonly<Record<string, string>>[] {
  const found: Readonly<Record<string, string>>[] = [];
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (localName(name) === element) found.push(attributes);
      },
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return found;
}

function titleOf(xml: string): string | undefined {
  let inside = false;
  let title = '';
  let done = false;
  const parser = new Parser(
    {
      onopentagname: (name) => void (inside = !done && localName(name) === 'title'),
      ontext: (words) => void (title += inside ? words : ''),
      onclosetag(name) {
        if (localName(name) === 'title') done = true;
        inside = false;
      },
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return title.replace(/\s+/gu, ' ').trim().slice(0, 200) || undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
