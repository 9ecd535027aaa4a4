// What both sides of the comparison come down to. A record is one thing that happened on a line of the trace:
//
//   { line, event, clientId, connectionId, id, timestamp, data, encoding, extras }
//   { line, get, members: [...] }  or  { line, get, code }
//   { line, state }, { line, update: { resumed } }, { line, sent: "ATTACH" | "DETACH" }
//
// Payloads are decoded, since an application sees them so; what did not decode keeps its encoding. Absent fields are left out.

import Ably from "ably";

// One member or event, of either side.
export function memberRecord({ clientId, connectionId, id, timestamp, data, encoding, extras }) {
  const record = { clientId, connectionId, id, timestamp, data, encoding, extras };
  for (const name of Object.keys(record)) {
    if (record[name] === undefined || record[name] === null) delete record[name];
  }
  return record;
}

// The same of a member or event whose payload is as on the wire: decoded by the client's own decoder.
export async function decodedRecord(wire) {
  const { data, encoding } = await Ably.Realtime.PresenceMessage.fromEncoded({ data: wire.data, encoding: wire.encoding });
  return memberRecord({ ...wire, data, encoding });
}

// A text that is equal exactly if the values are: object keys in order, bytes told apart from arrays.
export function canonical(value) {
  return JSON.stringify(value, function (name, current) {
    const original = this[name];  // Buffer has a toJSON, which has been applied to `current`
    if (Buffer.isBuffer(original)) return { bytes: original.toString("hex") };
    if (typeof current !== "object" || current === null || Array.isArray(current)) return current;
    return Object.fromEntries(Object.entries(current).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
