const room = await chatClient.rooms.get('my-room');
await room.attach();
// Subscribe to presence events
const { unsubscribe } = room.presence.subscribe((event) => {
const member = event.member;
console.log(`${event.type}: ${member.clientId}`);
if (member.data) {
console.log('Data:', member.data);
}
});
// Enter the room with custom data
await room.presence.enter({
status: 'online',
nickname: 'Alice',
avatar: 'https://example.com/alice.png'
});
// Get everyone currently in the room
const members = await room.presence.get();
console.log(`${members.length} users in room`);
// Update your status
await room.presence.update({ status: 'away' });
// Check if a specific user is present
const isBobHere = await room.presence.isUserPresent('bob-456');
// Leave when done
await room.presence.leave();
unsubscribe();
