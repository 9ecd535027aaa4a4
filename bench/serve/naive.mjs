// What most people write first, to measure `presence serve` beside: a presence server on `ws` that keeps a map of members for
// each room and tells everybody in it, one JSON text for each recipient. It acknowledges, resumes nothing, bounds nothing,
// checks nobody, and sends no pages. It understands as much of the protocol as load.mjs speaks.
//
//   node naive.mjs PORT

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const rooms = new Map(); // by name: {sockets, members}
let connections = 0;

function roomOf(name) {
  if (!rooms.has(name)) rooms.set(name, { sockets: new Set(), members: new Map() });
  return rooms.get(name);
}

function leave(room, socket) {
  room.sockets.delete(socket);
  for (const [key, member] of room.members) {
    if (member.connectionId !== socket.id) continue;
    room.members.delete(key);
    tell(room, member.channel, { ...member, action: 3 });
  }
}

function tell(room, channel, item) {
  for (const socket of room.sockets) socket.send(JSON.stringify({ action: 14, channel, presence: [item] }));
}

function onFrame(socket, frame) {
  const { action, channel } = frame;
  if (action === 0) return socket.send(JSON.stringify({ action: 0, id: frame.id }));
  if (action === 7) return socket.send(JSON.stringify({ action: 8 })), socket.close();
  if (!channel) return;
  const room = roomOf(channel);
  if (action === 10) {
    room.sockets.add(socket);
    socket.rooms.add(room);
    socket.send(JSON.stringify({ action: 11, channel, flags: room.members.size > 0 ? 1 : 0 }));
    if (room.members.size > 0) {
      socket.send(JSON.stringify({ action: 16, channel, channelSerial: "s:", presence: [...room.members.values()] }));
    }
  } else if (action === 12) {
    leave(room, socket);
    socket.send(JSON.stringify({ action: 13, channel }));
  } else if (action === 14) {
    for (const [i, sent] of frame.presence.entries()) {
      const item = {
        ...sent,
        channel,
        clientId: sent.clientId ?? socket.clientId,
        connectionId: socket.id,
        id: `${socket.id}:${frame.msgSerial}:${i}`,
        timestamp: Date.now(),
      };
      const key = `${item.connectionId}:${item.clientId}`;
      if (item.action === 3) room.members.delete(key);
      else room.members.set(key, { ...item, action: 1 });
      tell(room, channel, item);
    }
    socket.send(JSON.stringify({ action: 1, msgSerial: frame.msgSerial, count: 1 }));
  }
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  socket.id = `c${++connections}`;
  socket.clientId = query.get("clientId");
  socket.rooms = new Set();
  socket.send(JSON.stringify({ action: 4, connectionId: socket.id, connectionDetails: { clientId: socket.clientId } }));
  socket.on("message", (text) => onFrame(socket, JSON.parse(text)));
  socket.on("close", () => socket.rooms.forEach((room) => leave(room, socket)));
  socket.on("error", () => socket.terminate());
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
