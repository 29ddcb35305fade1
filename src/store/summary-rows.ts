import type { SummaryRow } from './schema.ts';
import { sealText, unsealText } from './seal.ts';
import type { SummaryRecord } from './turn-store.ts';

/** The columns in which a summary is kept. */
export function summaryColumns(
  conversationId: string,
  summary: SummaryRecord,
  key: Uint8Array,
): Pick<SummaryRow, 'text' | 'through_position' | 'made_ms'> {
  return {
    text: sealText(key, summary.text, placeOf(conversationId)),
    through_position: summary.throughPosition,
    made_ms: Math.round(summary.madeAtMs),
  };
}

/** @throws {StoreError} `corrupt` when the row was altered. */
export function toSummary(row: SummaryRow, key: Uint8Array): SummaryRecord {
  return {
    text: unsealText(key, row.text, placeOf(row.conversation_id)),
    throughPosition: row.through_position,
    madeAtMs: row.made_ms,
  };
}

function placeOf(conversationId: string): string {
  return `summaries.text ${conversationId}`;
}
