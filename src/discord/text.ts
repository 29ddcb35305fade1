import { escapeMarkdown } from 'discord.js';

/** Characters in one Discord message at most. */
export const MAX_MESSAGE_LENGTH = 2000;

/**
 * Cuts a text into messages Discord takes, at the ends of sentences where there are any, else between words, else anywhere.
 * Text that is empty or blank gives no message.
 */
export function splitMessage(text: string, maxLength = MAX_MESSAGE_LENGTH): string[] {
  const messages: string[] = [];
  let rest = cleanText(text).trim();
  while (rest.length > maxLength) {
    const head = rest.slice(0, maxLength);
    const sentenceEnd = Math.max(
      ...['. ', '! ', '? ', '。', '\n'].map((end) => head.lastIndexOf(end) + end.length - 1),
    );
    const wordEnd = head.lastIndexOf(' ');
    let cut = sentenceEnd > maxLength / 2 ? sentenceEnd : wordEnd > maxLength / 2 ? wordEnd : maxLength;
    // Never between the halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(rest[cut - 1] ?? '')) cut--;
    messages.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  if (rest !== '') messages.push(rest);
  return messages;
}

/** The part of a growing text that fits one message: its beginning, marked as going on. */
export function firstMessage(text: string): string {
  const clean = cleanText(text);
  return clean.length <= MAX_MESSAGE_LENGTH ? clean : `${splitMessage(clean, MAX_MESSAGE_LENGTH - 1)[0] ?? ''}…`;
}

/** A person's words or name as they are: nothing in them is formatted, links with other words, or names somebody to Discord. */
export function asWritten(text: string): string {
  return escapeMarkdown(cleanText(text), { heading: true, bulletedList: true, numberedList: true, maskedLink: true })
    .replace(/<(?=[@#:/a-z])/gi, '\\<')
    .replace(/^(-#|>)/gm, '\\$1')
    .replace(/@(?=everyone|here)/gi, '@\u200B');
}

/**
 * What a model wrote, as plain data: control characters and direction overrides go, and a link whose words hide its target
 * shows the target. Pings are prevented by the client's `allowedMentions`, not here.
 */
function cleanText(text: string): string {
  return text
    .replace(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, '')
    .replace(/\[([^\]\n]*)\]\(\s*<?([^)\s>]+)>?[^)\n]*\)/g, '$1 ($2)');
}
