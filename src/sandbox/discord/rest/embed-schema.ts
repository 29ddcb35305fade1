import { z } from 'zod';
import { codePoints } from '../code-points.ts';
import { issue, list, text } from './form.ts';

/** Characters of all embeds of a message together ("Embed Limits"). */
const MAX_TOTAL = 6000;

const webUrl = (...schemes: string[]) =>
  text(1, 2048).superRefine((value, context) => {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(value)?.[1]?.toLowerCase();
    if (scheme === undefined) context.addIssue(issue('URL_TYPE_INVALID_URL', 'Not a well formed URL.'));
    else if (!schemes.includes(scheme)) {
      const known = schemes.map((name) => `'${name}'`).join(', ');
      const message = `Scheme "${scheme}" is not supported. Scheme must be one of (${known}).`;
      context.addIssue(issue('URL_TYPE_INVALID_SCHEME', message));
    }
  });

const link = webUrl('http', 'https');
const media = z.looseObject({ url: webUrl('http', 'https', 'attachment') });

const embed = z.looseObject({
  title: text(0, 256).nullish(),
  description: text(0, 4096).nullish(),
  url: link.nullish(),
  timestamp: z.string().nullish(),
  color: z.int().min(0).max(0xffffff).nullish(),
  footer: z.looseObject({ text: text(1, 2048), icon_url: webUrl('http', 'https', 'attachment').nullish() }).nullish(),
  image: media.nullish(),
  thumbnail: media.nullish(),
  author: z.looseObject({ name: text(1, 256), url: link.nullish() }).nullish(),
  fields: list(
    z.looseObject({ name: text(1, 256), value: text(1, 1024), inline: z.boolean().nullish() }),
    0,
    25,
  ).nullish(),
});

/** The embeds of a message. */
export const embedsSchema = list(embed, 0, 10).superRefine((embeds, context) => {
  const total = embeds.reduce((sum, { title, description, footer, author, fields }) => {
    const texts = [title, description, footer?.text, author?.name];
    for (const field of fields ?? []) texts.push(field.name, field.value);
    return sum + texts.reduce((length, part) => length + (part ? codePoints(part) : 0), 0);
  }, 0);
  if (total > MAX_TOTAL) {
    context.addIssue(issue('MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${MAX_TOTAL}`));
  }
});
