// The numbers of the protocol (PresenceAction: TP2; actions: TR2; flags: TR3) and how a trace line and a frame are told apart.

export const Action = {
  CONNECTED: 4, ERROR: 9, ATTACH: 10, ATTACHED: 11, DETACH: 12, DETACHED: 13, PRESENCE: 14, SYNC: 16,
};
export const Presence = { ABSENT: 0, PRESENT: 1, ENTER: 2, LEAVE: 3, UPDATE: 4 };
export const Flag = { HAS_PRESENCE: 1 << 0, RESUMED: 1 << 2, MODES: 0b1111 << 16 };

export const EVENT_NAMES = ["absent", "present", "enter", "leave", "update"];
