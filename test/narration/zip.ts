import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly data: string | Uint8Array;
  /** What the archive says of its size, when it lies. */
  readonly claimedSize?: number;
  readonly encrypted?: boolean;
}

/** A zip file of these files. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data, claimedSize, encrypted = false } of entries) {
    const bytes = Buffer.from(data);
    const packed = deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(encrypted ? 0x801 : 0x800, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claimedSize ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

const CONTAINER =
  '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>';

/** A book whose pages are read in this order. */
export function epubOf(pages: readonly string[], more: readonly ZipEntry[] = []): Buffer {
  const names = pages.map((_, i) => `page ${i + 1}.xhtml`);
  const items = names.map((name, i) => `<opf:item id="p${i}" href="${encodeURIComponent(name)}"/>`).toReversed();
  const refs = names.map((_, i) => `<opf:itemref idref="p${i}"/>`);
  const book =
    '<opf:package xmlns:opf="http://www.idpf.org/2007/opf"><opf:metadata><dc:title>A Book &amp; more</dc:title></opf:metadata>' +
    `<opf:manifest>${items.join('')}<opf:item id="nav" href="nav.xhtml" properties="nav"/></opf:manifest>` +
    `<opf:spine><opf:itemref idref="nav"/>${refs.join('')}</opf:spine></opf:package>`;
  return zipOf([
    { name: 'mimetype', data: 'application/epub+zip' },
    { name: 'META-INF/container.xml', data: CONTAINER },
    { name: 'OEBPS/book.opf', data: book },
    { name: 'OEBPS/nav.xhtml', data: '<html><body><p>Table of contents</p></body></html>' },
    ...pages.map((data, i) => ({ name: `OEBPS/${names[i]}`, data })),
    ...more,
  ]);
}
