import { concatSamples } from '../../src/audio/pcm.ts';
import { AttachmentError } from '../../src/files/attachment-error.ts';
import { ByteFile } from '../../src/files/byte-file.ts';
import { MonoStream } from '../../src/files/mono-stream.ts';
import type { Decoder } from '../../src/files/sound-source.ts';
import { TemporaryFile } from '../../src/files/temporary-file.ts';

/** Everything a decoder finds in these bytes, 24 kHz mono. */
export async function played(open: Decoder, bytes: Uint8Array): Promise<Int16Array> {
  await using temporary = await TemporaryFile.of(bytes);
  using file = new ByteFile(temporary.path);
  const mono = new MonoStream();
  const pieces: Int16Array[] = [];
  const { sound } = await open(file);
  for await (const chunk of sound) pieces.push(...mono.push(chunk));
  return concatSamples([...pieces, ...mono.flush()]);
}

/** `sound`, or what is wrong with the file. */
export async function troubleWith(open: Decoder, bytes: Uint8Array): Promise<string> {
  try {
    await played(open, bytes);
    return 'sound';
  } catch (error) {
    if (error instanceof AttachmentError) return error.kind;
    throw error;
  }
}
