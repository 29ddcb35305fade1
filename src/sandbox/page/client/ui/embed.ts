import { h, type JSX } from 'preact';
import { listIn, numberIn, objectIn, textIn } from '../json.ts';
import type { Json } from '../state.ts';
import { Markdown } from './markdown-view.ts';

/** A card in a message. */
export function Embed({ embed }: { embed: Json }): JSX.Element {
  const color = numberIn(embed, 'color');
  const title = textIn(embed, 'title');
  const url = textIn(embed, 'url');
  const description = textIn(embed, 'description');
  const author = textIn(objectIn(embed, 'author') ?? {}, 'name');
  const footer = textIn(objectIn(embed, 'footer') ?? {}, 'text');
  const image = textIn(objectIn(embed, 'image') ?? {}, 'url');
  const fields = listIn(embed, 'fields');
  return h(
    'article',
    { class: 'embed', style: color === undefined ? {} : { borderColor: `#${color.toString(16).padStart(6, '0')}` } },
    author && h('p', { class: 'small' }, author),
    title &&
      h(
        'p',
        { class: 'heading level-3' },
        url?.startsWith('http') ? h('a', { href: url, target: '_blank', rel: 'noreferrer noopener' }, title) : title,
      ),
    description && h(Markdown, { text: description }),
    fields.length > 0 &&
      h(
        'dl',
        { class: 'fields' },
        fields.map((field, index) =>
          h(
            'div',
            { key: index, class: field['inline'] === true ? 'inline' : '' },
            h('dt', null, textIn(field, 'name')),
            h('dd', null, h(Markdown, { text: textIn(field, 'value') ?? '' })),
          ),
        ),
      ),
    image?.startsWith('http') && h('img', { class: 'picture', src: image, alt: '' }),
    footer && h('p', { class: 'quiet small' }, footer),
  );
}
