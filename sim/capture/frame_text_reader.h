#ifndef SIM_CAPTURE_FRAME_TEXT_READER_H_
#define SIM_CAPTURE_FRAME_TEXT_READER_H_

#include "sim/capture/capture.h"

namespace presence::sim {

// Reads frames that somebody copied out of a browser or had printed, one after another, with words
// and times around them or not: `capture.text`. JSON on one line or indented, or MessagePack in
// base64, alone on its line. Links the sockets.
//
// What a frame says decides its direction where only a client or only a server sends it; then the
// words around it; without any it was received. A CONNECTED begins another socket, unless a new
// token was sent before it. That follows the one before if its connection has the same id, or if
// the server says that another could not be gone on with, or the client attaches to where it was:
// otherwise it is another client's.
void ReadFrameTexts(Capture& capture);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_FRAME_TEXT_READER_H_
