/** A piece of a message: Discord's Markdown, as far as people and bots use it in a channel. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'code' | 'block'; readonly text: string }
  | {
      readonly kind: 'strong' | 'emphasis' | 'underline' | 'strike' | 'spoiler' | 'quote' | 'item';
      readonly inside: readonly Piece[];
    }
  | { readonly kind: 'heading'; readonly level: number; readonly inside: readonly Piece[] }
  | { readonly kind: 'link'; readonly url: string; readonly inside: readonly Piece[] }
  | { readonly kind: 'user' | 'channel' | 'role'; readonly id: string };

/** How deep marks may stand in each other; what is deeper is shown as it was written. */
const MAX_DEPTH = 8;

const BLOCK = /```(?:[\w+-]*\n)?([\s\S]+?)```/g;

const INLINE =
  /(?<escape>\\[\\*_~`|>#-])|`(?<code>[^`\n]+)`|\*\*(?<strong>[\s\S]+?)\*\*(?!\*)|__(?<underline>[\s\S]+?)__|~~(?<strike>[\s\S]+?)~~|\|\|(?<spoiler>[\s\S]+?)\|\||(?<![\w*])\*(?<star>[^\s*][^*\n]*?)\*|(?<!\w)_(?<low>[^_\n]+?)_(?!\w)|\[(?<label>[^\]\n]+)\]\(<?(?<target>https?:\/\/[^\s)>]+)>?\)|<?(?<url>https?:\/\/[^\s<>]+[^\s<>.,:;!?)\]'"])>?|<@!?(?<user>\d+)>|<#(?<channel>\d+)>|<@&(?<role>\d+)>/g;

/** Reads a message. Nothing in it becomes markup of the page: the result is data. */
export function parseMarkdown(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(BLOCK)) {
    pieces.push(...lines(text.slice(at, match.index)), { kind: 'block', text: match[1] ?? '' });
    at = match.index + match[0].length;
  }
  pieces.push(...lines(text.slice(at)));
  return pieces;
}

function lines(text: string): readonly Piece[] {
  if (text === '') return [];
  const pieces: Piece[] = [];
  let plain: string[] = [];
  const flush = (): void => {
    if (plain.length > 0) pieces.push(...inline(plain.join('\n'), 0));
    plain = [];
  };
  for (const line of text.replaceAll(/^\n|\n$/g, '').split('\n')) {
    const special = /^(?:(?<quote>> )|(?<heading>#{1,3}) |(?<item>\s*[-*] ))(?<rest>.*)$/.exec(line)?.groups;
    if (!special) {
      plain.push(line);
      continue;
    }
    flush();
    const inside = inline(special['rest'] ?? '', 0);
    if (special['quote'] !== undefined) pieces.push({ kind: 'quote', inside });
    else if (special['item'] !== undefined) pieces.push({ kind: 'item', inside });
    else pieces.push({ kind: 'heading', level: special['heading']?.length ?? 1, inside });
  }
  flush();
  return pieces;
}

function inline(text: string, depth: number): readonly Piece[] {
  if (depth > MAX_DEPTH) return [{ kind: 'text', text }];
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    pieces.push(...plainText(text.slice(at, match.index)), pieceOf(match.groups ?? {}, depth + 1));
    at = match.index + match[0].length;
  }
  return [...pieces, ...plainText(text.slice(at))];
}

function pieceOf(found: Readonly<Record<string, string | undefined>>, depth: number): Piece {
  const { escape, code, strong, underline, strike, spoiler, star, low, label, target, url, user, channel, role } =
    found;
  if (escape !== undefined) return { kind: 'text', text: escape.slice(1) };
  if (code !== undefined) return { kind: 'code', text: code };
  if (strong !== undefined) return { kind: 'strong', inside: inline(strong, depth) };
  if (underline !== undefined) return { kind: 'underline', inside: inline(underline, depth) };
  if (strike !== undefined) return { kind: 'strike', inside: inline(strike, depth) };
  if (spoiler !== undefined) return { kind: 'spoiler', inside: inline(spoiler, depth) };
  if (label !== undefined && target !== undefined) return { kind: 'link', url: target, inside: inline(label, depth) };
  if (url !== undefined) return { kind: 'link', url, inside: [{ kind: 'text', text: url }] };
  if (user !== undefined) return { kind: 'user', id: user };
  if (channel !== undefined) return { kind: 'channel', id: channel };
  if (role !== undefined) return { kind: 'role', id: role };
  return { kind: 'emphasis', inside: inline(star ?? low ?? '', depth) };
}

function plainText(text: string): readonly Piece[] {
  return text
    .split('\n')
    .flatMap((line, index): Piece[] => [
      ...(index === 0 ? [] : [{ kind: 'break' } as const]),
      ...(line === '' ? [] : [{ kind: 'text', text: line } as const]),
    ]);
}
