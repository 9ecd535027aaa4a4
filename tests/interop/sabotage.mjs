// Ways to spoil a result of the replay, one detail each. A comparison that does not notice is worth nothing.
// Each changes the result in place and returns whether there was anything to change.

function lastEvent(result, wanted = () => true) {
  return result.records.findLastIndex((record) => record.event !== undefined && wanted(record));
}

// Applies `change` to the last event that is wanted, if there is one.
function onLastEvent(wanted, change) {
  return (result) => {
    const at = lastEvent(result, wanted);
    if (at === -1) return false;
    change(result.records, at);
    return true;
  };
}

const any = () => true;

export const SABOTAGES = {
  "drop an event": onLastEvent(any, (records, at) => records.splice(at, 1)),
  "repeat an event": onLastEvent(any, (records, at) => records.splice(at, 0, records[at])),
  "change the type": onLastEvent(any, (records, at) => {
    records[at].event = records[at].event === "update" ? "enter" : "update";
  }),
  "change the timestamp": onLastEvent(any, (records, at) => ++records[at].timestamp),
  "change the data": onLastEvent(any, (records, at) => Object.assign(records[at], { data: "spoiled", encoding: undefined })),
  "lose the extras": onLastEvent(({ extras }) => extras !== undefined, (records, at) => delete records[at].extras),
  // What the client itself does wrong must not be forgiven to the replay.
  "repeat a leave": onLastEvent(({ event }) => event === "leave", (records, at) => records.push(records[at])),
  "lose a member": (result) => result.members.pop() !== undefined,
  "lose a state": (result) => {
    const at = result.records.findLastIndex(({ state }) => state !== undefined);
    return at !== -1 && result.records.splice(at, 1).length > 0;
  },
  "answer get otherwise": (result) => {
    const answer = result.records.find(({ members }) => members?.length > 0);
    return answer !== undefined && answer.members.pop() !== undefined;
  },
};
