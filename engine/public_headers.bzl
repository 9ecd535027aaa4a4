"""What other programs may include: each as "presence/...", from Bazel, from CMake and installed alike.

A public header includes the standard library, Abseil and other public headers, and, for the sake of its
private members, headers below internal/, which are nobody's to use. tests/build holds all this. The
lines between the brackets are read by CMakeLists.txt, too.
"""

PUBLIC_HEADERS = [
    "client/channel.h",
    "client/channel_input.h",
    "client/connection.h",
    "client/effects.h",
    "client/outbox.h",
    "client/own_members.h",
    "error.h",
    "flags.h",
    "host/host_effects.h",
    "host/host_input.h",
    "host/room_host.h",
    "host/server_snapshot.h",
    "host/snapshot.h",
    "item.h",
    "json/json_value.h",
    "members/member_set.h",
    "members/newness.h",
    "message.h",
    "operation_size.h",
    "owned_message.h",
    "room/chat_client.h",
    "room/result.h",
    "room/room.h",
    "room/room_error.h",
    "session/client_session.h",
    "session/ledger.h",
    "session/server.h",
    "session/server_effects.h",
    "session/server_input.h",
    "session/server_reader.h",
    "session/session_effects.h",
    "session/session_input.h",
    "wire/frame.h",
    "wire/frame_reader.h",
    "wire/host_frame.h",
    "wire/packed_frame.h",
    "wire/snapshot.h",
]
