// Compares what the replay and the client made of a trace.

import { canonical, decodedRecord } from "./record.mjs";
import { ALL_FAULTS, FAULTS, NO_FAULTS, playToRules } from "./rules.mjs";

// The verdict on one trace: { faults: letters that show in it }, or { difference: text } if something is not explained.
export async function judge(lines, replayed, client) {
  if (replayed.error) return { difference: replayed.error };
  const [ours, theirs] = [await comparable(replayed), await comparable(client, { decoded: true })];

  // The channel's states, updates and requests have no known faults.
  const channelDifference = firstDifference("replay", ours.channel, "client", theirs.channel);
  if (channelDifference !== undefined) return { difference: channelDifference };

  const faultless = playToRules(lines, NO_FAULTS);
  const faulty = playToRules(lines, ALL_FAULTS);
  const direct = firstDifference("replay", ours.presence, "client", theirs.presence);
  const unexplained =
    firstDifference("replay", ours.presence, "rules", (await comparable(faultless)).presence) ??
    firstDifference("client", theirs.presence, "rules with the known faults", (await comparable(faulty)).presence);
  if (unexplained !== undefined) return { difference: `${unexplained}\n${direct ?? "replay and client agree"}` };
  if (direct === undefined) return { faults: [] };

  // Both are as predicted. A fault shows if having it alone, or lacking it alone, makes a difference.
  const shows = (letter) => {
    const others = new Set([...ALL_FAULTS].filter((other) => other !== letter));
    return (
      canonical(playToRules(lines, new Set([letter]))) !== canonical(faultless) ||
      canonical(playToRules(lines, others)) !== canonical(faulty)
    );
  };
  return { faults: Object.keys(FAULTS).filter(shows) };
}

// Two lists of texts, equal exactly if there is nothing to tell apart: what happened in the presence set, and what in the
// channel. Members at the end come in no particular order.
async function comparable({ records, state, syncing, members }, { decoded = false } = {}) {
  const decode = decoded ? async (record) => record : decodedRecord;
  const presence = [];
  const channel = [];
  for (const record of records) {
    if (record.event !== undefined) {
      presence.push(canonical({ line: record.line, event: record.event, ...(await decode(record)) }));
    } else if (record.get !== undefined) {
      const found = record.members && (await Promise.all(record.members.map(decode)));
      presence.push(canonical({ ...record, ...(found && { members: found }) }));
    } else {
      channel.push(canonical(record));
    }
  }
  const atEnd = await Promise.all(members.map(decode));
  presence.push(...atEnd.map((member) => `member at the end: ${canonical(member)}`).sort(), `syncing at the end: ${syncing}`);
  channel.push(`state at the end: ${state}`);
  return { presence, channel };
}

function firstDifference(leftName, left, rightName, right) {
  const at = Array.from({ length: Math.max(left.length, right.length) }).findIndex((_, i) => left[i] !== right[i]);
  if (at === -1) return undefined;
  const nothing = "(nothing more)";
  return `${leftName} and ${rightName} differ:\n  ${leftName}: ${left[at] ?? nothing}\n  ${rightName}: ${right[at] ?? nothing}`;
}
