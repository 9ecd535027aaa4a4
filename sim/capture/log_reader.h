#ifndef SIM_CAPTURE_LOG_READER_H_
#define SIM_CAPTURE_LOG_READER_H_

#include "sim/capture/capture.h"

namespace presence::sim {

// Reads the frames of a log of ably-js at level 4 (verbose), which is `capture.text`, whatever was
// printed before its messages, or in JSON (wrapped_log.h; capture.text then becomes the messages).
// What can be read in two ways, or was cut, is left out. Links the sockets: each received frame
// says the id that its client's connection has, and so does the CONNECTED that gives it another. Of
// frames that were sent nobody says whose they are: they count where only one client can have been
// connected.
void ReadAblyLog(Capture& capture);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_LOG_READER_H_
