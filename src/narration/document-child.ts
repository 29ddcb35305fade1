import { open } from 'node:fs/promises';

import { AttachmentError } from '../files/attachment-error.ts';
import { ChapterBuilder, MAX_CHARACTERS, type DocumentJob, type DocumentMessage } from './document.ts';
import { readEpub } from './epub.ts';
import { readMarkdown } from './markdown.ts';
import { isSpeakable } from './passages.ts';
import { readPlainText } from './plain-text.ts';

// The process in which untrusted documents are read. It takes one job, answers it and ends by itself: `process.exit()` can
// hang for ever while V8 compiles in the background (nodejs/node#54918). Its parent kills it when it takes too long.

/** More bytes than any text has that is short enough to be read aloud: four for each character. */
const MAX_TEXT_BYTES = 4 * MAX_CHARACTERS + 4;

process.once('message', (job: DocumentJob) => {
  void run(job).then((answer) => {
    process.send?.(answer, () => process.disconnect());
  });
});

async function run(job: DocumentJob): Promise<DocumentMessage> {
  try {
    const chapters = new ChapterBuilder(tooLong);
    const title = await read(job, chapters);
    if (!chapters.chapters.some(({ paragraphs }) => paragraphs.some(isSpeakable))) {
      throw new AttachmentError('no-text', 'nothing to read aloud');
    }
    return { type: 'read', document: { title, chapters: chapters.chapters } };
  } catch (error) {
    const kind = error instanceof AttachmentError ? error.kind : 'damaged-text';
    return { type: 'failed', kind, message: error instanceof Error ? error.message : 'an unknown failure' };
  }
}

async function read({ path, name }: DocumentJob, chapters: ChapterBuilder): Promise<string | undefined> {
  await using file = await open(path);
  const head = Buffer.alloc(4);
  await file.read(head, 0, 4, 0);
  if (head.toString('latin1').startsWith('PK')) return readEpub(path, chapters);
  const { size } = await file.stat();
  if (size > MAX_TEXT_BYTES) throw tooLong();
  const text = decode(await file.readFile());
  if (/\.(md|markdown|mkd)$/i.test(name)) return readMarkdown(text, chapters);
  readPlainText(text, chapters);
  return undefined;
}

function tooLong(): AttachmentError {
  return new AttachmentError('text-too-long', `more than ${MAX_CHARACTERS} characters`);
}

/** UTF-8, UTF-16 with its mark, or else the old Western encoding, in which any bytes are some text. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // No text has these, and most other files do.
  if (bytes.subarray(0, 65_536).includes(0)) throw new AttachmentError('not-a-text', 'zero bytes');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const text = new TextDecoder('windows-1252').decode(bytes);
    const strange = text.match(/(?!\s)\p{Cc}/gu)?.length ?? 0;
    if (strange * 100 > text.length || text.startsWith('%PDF')) throw new AttachmentError('not-a-text', 'no text');
    return text;
  }
}
