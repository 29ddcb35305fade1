import { describe, expect, it } from 'vitest';

import { exportTranscript } from '../../src/files/transcript.ts';

const PARTS = [
  { startMs: 1234.4, endMs: 59_999.6, text: ' First words.\n\nAnd more. ' },
  { startMs: 3_723_004, endMs: 3_725_000, text: 'a --> b & <i>c</i>' },
];

describe('exportTranscript', () => {
  it('txt', () => {
    expect(exportTranscript(PARTS, 'txt', 'x')).toBe('First words.\n\nAnd more.\n\na --> b & <i>c</i>\n');
  });

  it('md', () => {
    expect(exportTranscript(PARTS, 'md', 'memo.ogg')).toBe(
      '# memo.ogg\n\n**0:01** First words. And more.\n\n**1:02:03** a --> b & <i>c</i>\n',
    );
  });

  it('srt', () => {
    expect(exportTranscript(PARTS, 'srt', 'x')).toBe(
      '1\n00:00:01,234 --> 00:01:00,000\nFirst words. And more.\n\n2\n01:02:03,004 --> 01:02:05,000\na -> b & <i>c</i>\n',
    );
  });

  it('vtt', () => {
    expect(exportTranscript(PARTS, 'vtt', 'x')).toBe(
      'WEBVTT\n\n00:00:01.234 --> 00:01:00.000\nFirst words. And more.\n\n' +
        '01:02:03.004 --> 01:02:05.000\na -&gt; b &amp; &lt;i&gt;c&lt;/i&gt;\n',
    );
  });
});
